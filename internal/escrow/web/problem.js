// What can go wrong, in words for the person at the page. `code` is for the page:
// it decides what to offer next.
//
//   format      the text is not of its format; nothing was derived or decrypted
//   passphrase  the passphrase is wrong
//   altered     the content is not what was encrypted
//   swapped     the content is somebody else's, or of another kind, than is said
//   unpinned, unsigned, rotation, rollback   the public key is not to be believed
//   shares      the shares restore nothing
//   weak        the passphrase may not be used
//   locked      the keys were dropped
//   unsupported this browser cannot
export class Problem extends Error {
  constructor(code, message) {
    super(message);
    this.name = "Problem";
    this.code = code;
  }
}

// badly is a text that is not of its format.
export const badly = (message) => new Problem("format", message);
