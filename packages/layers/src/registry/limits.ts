// Named limits on what a registry may send or make us do; every one bounds a hostile server, not a good one.

/** Largest token response, bytes. */
export const MAX_TOKEN_BYTES: number = 256 * 1024;
/** Largest error document read, bytes; the rest of it is dropped. */
export const MAX_ERROR_BYTES: number = 64 * 1024;
/** Largest page of a listing (tags, catalogue, referrers), bytes. */
export const MAX_PAGE_BYTES: number = 4 * 1024 * 1024;
/** Most pages of one listing. */
export const MAX_PAGES = 1000;
/** Redirects followed for one request. */
export const MAX_REDIRECTS = 5;
/** Longest header value that is parsed (challenge, link, location), UTF-16 units. */
export const MAX_HEADER_LENGTH = 8192;
/** Longest wait that a server may ask for by Retry-After, ms; a longer one fails the request at once. */
export const MAX_RETRY_AFTER_MS = 60_000;
/** Times one blob download may be resumed, however much progress each part makes. */
export const MAX_RESUMES = 64;
/** Levels of indexes within indexes that pull, push and copy descend. */
export const MAX_DEPTH = 4;
/** Most documents (manifests and indexes) of one image tree. */
export const MAX_DOCUMENTS = 1000;
/** Shortest and default life of a token, ms: token specification, "expires_in". */
export const MIN_TOKEN_LIFE_MS = 60_000;
/** Smallest and largest part of a chunked upload, bytes. */
export const MIN_CHUNK_BYTES: number = 64 * 1024;
export const MAX_CHUNK_BYTES: number = 64 * 1024 * 1024;
