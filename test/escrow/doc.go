// Package escrow tests secret escrow against a whole Portreeve: machines with
// tokens, people behind Cloudflare Access, and a client of this package's in the
// browser's place, which is the only one that ever has a passphrase, a private key
// or a plaintext. All traffic is recorded on its way, the store is dumped, logs are
// read, and none of the three may hold any of them, in whatever spelling. It also
// holds the store in the wrong hands, and says what each reader of it then says.
package escrow
