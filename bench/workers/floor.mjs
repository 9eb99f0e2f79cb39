// The least that an issuer in this runtime can do: the form is read, and the answer, as long as a real one, is always the same.
const answer = JSON.stringify({ access_token: "t".repeat(700), token_type: "Bearer", expires_in: 3600, scope: "orders:read" });
const headers = { "content-type": "application/json", "cache-control": "no-store" };

export default {
  async fetch(request) {
    const form = new URLSearchParams(await request.text());
    return new Response(answer, { status: form.get("grant_type") === "client_credentials" ? 200 : 400, headers });
  },
};
