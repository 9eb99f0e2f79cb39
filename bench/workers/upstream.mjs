// The API behind every guard.
const ORDER = JSON.stringify({ id: "o-1002", customer: "c-2", status: "open", total: { amount: 1999, currency: "EUR" } });
const HEADERS = { "content-type": "application/json" };

export default {
  fetch() {
    return new Response(ORDER, { headers: HEADERS });
  },
};
