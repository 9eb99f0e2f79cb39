// What any worker costs that takes a token away and writes who is calling: it checks nothing, decides nothing, and logs nothing.
const WHO = {
  "x-tollgate-issuer": "http://127.0.0.1:8787/bench",
  "x-tollgate-subject": "client_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "x-tollgate-scope": "orders:read",
  "x-tollgate-client": "client_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "x-tollgate-request-id": "AAAAAAAAAAAAAAAA",
};

export default {
  fetch(request, env) {
    const headers = Object.create(null);
    request.headers.forEach((value, name) => {
      if (name !== "authorization") headers[name] = value;
    });
    return env.ORIGIN.fetch(request.url, { method: request.method, headers: Object.assign(headers, WHO), redirect: "manual", cf: request.cf });
  },
};
