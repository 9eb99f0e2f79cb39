/** Where the WebAssembly module comes from; without it, from beside the package's own files. */
export type Source = URL | RequestInfo | Response | BufferSource | WebAssembly.Module | Promise<Response>;

/**
 * Fetches and compiles the WebAssembly module. Await it once before any other call; later calls resolve at once.
 *
 * @param source only needed where a bundler moves the file, or a test reads it from disk
 */
export function load(source?: Source): Promise<void>;

/**
 * A fresh code verifier (RFC 7636, section 4.1) of 256 random bits. Keep it until the authorisation code comes back, send
 * it with the code to the token endpoint, then forget it.
 */
export function createVerifier(): string;

/**
 * The S256 code challenge (RFC 7636, section 4.2) of a verifier, for the authorisation request.
 *
 * @throws {Error} for a verifier that is not 43 to 128 characters of `A-Z a-z 0-9 - . _ ~`
 */
export function challenge(verifier: string): string;
