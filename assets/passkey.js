// Passkeys (Web Authentication): lets the browser ask, and puts what it says into the form. Without this the form stays hidden.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (ids) => ids.split(" ").filter(Boolean).map((id) => ({ type: "public-key", id: bytes(id) }));

async function make({ challenge, party, realm, user, login, known, algorithms }) {
  const { response } = await navigator.credentials.create({
    publicKey: {
      challenge: bytes(challenge),
      rp: { id: party, name: realm },
      user: { id: bytes(user), name: login, displayName: login },
      pubKeyCredParams: algorithms.split(" ").map((alg) => ({ type: "public-key", alg: Number(alg) })),
      excludeCredentials: named(known),
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    },
  });
  return { client_data: response.clientDataJSON, authenticator_data: response.getAuthenticatorData() };
}

async function use({ challenge, party, known }) {
  const { rawId, response } = await navigator.credentials.get({
    publicKey: { challenge: bytes(challenge), rpId: party, allowCredentials: named(known), userVerification: "required" },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  return { id: rawId, client_data: clientDataJSON, authenticator_data: authenticatorData, signature, user: userHandle ?? new ArrayBuffer(0) };
}

const WORDS = {
  InvalidStateError: "This device has a passkey of yours already.",
  NotAllowedError: "It was cancelled, or took too long. Try again.",
};

const can = {
  // Without this a passkey would be made, and nobody could be told of it.
  make: () => typeof globalThis.AuthenticatorAttestationResponse?.prototype.getAuthenticatorData === "function",
  use: () => typeof globalThis.PublicKeyCredential === "function",
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const { passkey, seconds } = form.dataset;
  if (!can[passkey]()) continue;
  form.hidden = false;
  document.querySelector("[data-otherwise]")?.remove();
  const opened = Date.now();
  const button = form.querySelector("button");
  const said = form.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // A passkey that is made on a page that is too old counts nowhere, and may take the place of one that does.
    if (seconds && Date.now() - opened > seconds * 1000) return location.reload();
    said.textContent = "";
    button.disabled = true;
    try {
      const answer = await (passkey === "make" ? make : use)(form.dataset);
      for (const [name, value] of Object.entries(answer)) form.elements.namedItem(name).value = text(value);
      form.submit();
    } catch (error) {
      said.textContent = WORDS[error.name] ?? "This browser cannot do it here.";
      button.disabled = false;
      button.focus();
    }
  });
}

// So is a page that the back button brings as it was: which passkeys there are may have changed.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted && document.querySelector("[data-passkey=make]")) location.reload();
});
