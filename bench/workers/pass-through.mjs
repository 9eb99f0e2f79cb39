// The least that a worker in front of another can do.
export default {
  fetch(request, env) {
    return env.ORIGIN.fetch(request);
  },
};
