// Work in turns (turns.rs): a promise that the module waits for is waited for here, where that costs least.
let last = 0;

/** The value of the work that `start` begins under the number that it is given. `resume` is the module's own. */
export async function inTurns(resume, start) {
  const number = (last = (last + 1) >>> 0);
  let turn = start(number);
  while (turn instanceof Promise) {
    let value;
    let isFulfilled = true;
    try {
      value = await turn;
    } catch (error) {
      [value, isFulfilled] = [error, false];
    }
    turn = resume(number, isFulfilled, value);
  }
  // Where it waits for anything else, an array holds the promise of its value.
  return Array.isArray(turn) ? turn[0] : turn;
}
