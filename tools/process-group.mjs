// Runs a program as the leader of its own process group, so that everything that it starts can be ended with it.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

// wrangler needs well under a second to end workerd in good order.
const GRACE_MS = 5000;

const alive = new Set();

/** Whatever ends this process must not leave groups behind. A program with its own signal handlers is trusted to end in good order. */
function guard() {
  if (alive.size > 0) return;
  process.removeListener("exit", killAll).on("exit", killAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

function killAll() {
  for (const kill of alive) kill();
}

/** Output goes to `onOutput` piece by piece, or straight into the file descriptor `output`, which costs this process nothing. */
export function startGroup(program, args, { cwd, env, onOutput, output = "pipe" }) {
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", output, output] });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", onOutput);

  let code;
  const ended = new Promise((resolve) => {
    const end = (value) => resolve((code = value ?? 1));
    child.once("error", (error) => {
      onOutput(`${error.message}\n`);
      end(1);
    });
    child.once("exit", end);
  });

  const signalGroup = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      // Nobody is left, or (EPERM, on macOS) nobody but the dead: just what is wanted.
      if (error.code !== "ESRCH" && error.code !== "EPERM") throw error;
    }
  };
  const killNow = () => {
    if (child.pid !== undefined) signalGroup("SIGKILL");
  };
  guard();
  alive.add(killNow);
  void ended.then(() => {
    killNow(); // what the leader left behind
    alive.delete(killNow);
  });

  return {
    /** Resolves with the leader's exit code. */
    ended,
    pid: child.pid,
    isRunning: () => code === undefined,
    /** Asks the leader to end, and ends the whole group when it does not. */
    async stop() {
      if (code === undefined) child.kill("SIGTERM");
      const patience = new AbortController();
      await Promise.race([ended, sleep(GRACE_MS, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
      killNow();
      return ended;
    },
    /** Ends the whole group at once, as a power cut would. */
    async kill() {
      killNow();
      return ended;
    },
  };
}
