package vectors

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// hostiles is the table of what both readers refuse, and for what.
func hostiles(keys map[string]*ends.Key, plain []tenantKey, g good) (list []hostile) {
	for _, part := range [][]hostile{hostileKeys(keys, plain), hostileSealed(keys), hostileWrapped(keys, plain), hostileRecovery(keys, plain, g), hostileStatements(keys, plain), hostileChains(keys)} {
		list = append(list, part...)
	}
	slices.SortStableFunc(list, func(a, b hostile) int {
		return cmp.Or(strings.Compare(a.Reader, b.Reader), strings.Compare(a.Name, b.Name))
	})
	return list
}

func hostileKeys(keys map[string]*ends.Key, plain []tenantKey) (list []hostile) {
	var set jose.JSONWebKeySet
	_ = json.Unmarshal(plain[0].Set, &set)
	first := keys["first"].Public
	public := func(name, text string, least int) {
		list = append(list, hostile{Name: name, Reader: "public", Code: "format", Before: true, Text: text, Least: least})
	}
	n := encode(first.Key.N.Bytes())
	jwk := func(n, more string) string { return `{"kty":"RSA","e":"AQAB","n":"` + n + `"` + more + `}` }
	public("the private key", string(must(json.Marshal(set.Keys[0]))), envelope.NewBits)
	for _, m := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		public("a private member, "+m, jwk(n, `,"`+m+`":"AA"`), envelope.NewBits)
	}
	public("2048 bits for a new key", string(keys["imported"].Public.JWK), envelope.NewBits)
	public("leading zeros", jwk(encode(append([]byte{0}, first.Key.N.Bytes()...)), ""), envelope.NewBits)
	public("an even modulus", jwk(encode(new(big.Int).Sub(first.Key.N, big.NewInt(1)).Bytes()), ""), envelope.NewBits)
	public("a small factor", jwk(encode(new(big.Int).Mul(big.NewInt(3), new(big.Int).Div(first.Key.N, big.NewInt(3))).Bytes()), ""), envelope.NewBits)
	public("a small exponent", strings.Replace(jwk(n, ""), "AQAB", "Aw", 1), envelope.NewBits)
	public("another kid", jwk(n, `,"kid":"`+keys["second"].Public.Kid+`"`), envelope.NewBits)
	public("for signing", jwk(n, `,"use":"sig"`), envelope.NewBits)
	public("for another algorithm", jwk(n, `,"alg":"RSA-OAEP"`), envelope.NewBits)
	public("for decrypting", jwk(n, `,"key_ops":["decrypt"]`), envelope.NewBits)
	public("a member twice", jwk(n, `,"kty":"RSA"`), envelope.NewBits)
	public("no JSON", jwk(n, `,`), envelope.NewBits)
	public("not whole bytes", jwk(encode(new(big.Int).Rsh(first.Key.N, 3).Bytes()), ""), envelope.ImportedBits)
	public("16384 bits", jwk(encode(append([]byte{0x80}, make([]byte, 2047)...)), ""), envelope.ImportedBits)
	signer := func(name, text string) {
		list = append(list, hostile{Name: name, Reader: "signer", Code: "format", Before: true, Text: text})
	}
	signer("the private key", string(must(json.Marshal(set.Keys[1]))))
	for _, p := range []string{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "7P_______________________________________38", "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o"} {
		signer("of low order, "+p[:4]+p[41:], `{"kty":"OKP","crv":"Ed25519","x":"`+p+`"}`)
	}
	signer("another curve", `{"kty":"OKP","crv":"X25519","x":"`+encode(keys["first"].Signer.Key)+`"}`)
	signer("too short", `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`)
	signer("another kid", `{"kty":"OKP","crv":"Ed25519","x":"`+encode(keys["first"].Signer.Key)+`","kid":"`+keys["second"].Signer.Kid+`"}`)
	return list
}

func hostileSealed(keys map[string]*ends.Key) (list []hostile) {
	k := keys["first"]
	to := k.Public.Key
	head := func(more string) string {
		return `{"alg":"RSA-OAEP-256","enc":"A256GCM","tenant":"` + tenant + `","machine":"DESK-0042","kind":"bitlocker"` + more + `}`
	}
	add := func(name, code string, before bool, ciphertext string, change func(*revealed)) {
		a := revealed{k.Public.Kid, ciphertext, tenant, "bitlocker", desk}
		if change != nil {
			change(&a)
		}
		// Name is the kid of the key that is open.
		list = append(list, hostile{Name: name, Reader: "sealed", Code: code, Before: before, Sealed: &sealed{Name: k.Public.Kid, Answer: a}})
	}
	forge := func(header string) string { return forgeSealed(header, to, "secret") }
	honest := forge(head(""))
	for name, more := range map[string]string{
		"zip": `,"zip":"DEF"`, "crit": `,"crit":["b64"]`, "crit, empty": `,"crit":[]`, "another member": `,"x5u":"https://example.com/"`, "jwk": `,"jwk":{}`, "apu": `,"apu":"AA"`, "a member twice": `,"kind":"bitlocker"`,
		"another typ": `,"typ":"JWT"`, "a kid that is a number": `,"kid":7`, "p2c beside": `,"p2c":600000`, "__proto__": `,"__proto__":{}`, "a question mark": `,"kid?":"x"`,
	} {
		add("header with "+name, "format", true, forge(head(more)), nil)
	}
	for name, header := range map[string]string{
		"alg RSA-OAEP": strings.Replace(head(""), "RSA-OAEP-256", "RSA-OAEP", 1), "alg RSA1_5": strings.Replace(head(""), "RSA-OAEP-256", "RSA1_5", 1), "alg dir": strings.Replace(head(""), "RSA-OAEP-256", "dir", 1),
		"enc A128GCM": strings.Replace(head(""), "A256GCM", "A128GCM", 1), "enc A256CBC-HS512": strings.Replace(head(""), "A256GCM", "A256CBC-HS512", 1), "alg in other letters": strings.Replace(head(""), "RSA-OAEP", "rsa-oaep", 1),
		"no tenant": strings.Replace(head(""), `"tenant"`, `"Tenant"`, 1), "no machine": `{"alg":"RSA-OAEP-256","enc":"A256GCM","tenant":"` + tenant + `","kind":"bitlocker"}`, "an empty kind": strings.Replace(head(""), `"bitlocker"`, `""`, 1),
		"a tenant that is a list": strings.Replace(head(""), `"`+tenant+`"`, `["`+tenant+`"]`, 1), "a long machine": strings.Replace(head(""), "DESK-0042", strings.Repeat("x", 256), 1),
		"bytes that are no UTF-8": strings.Replace(head(""), "DESK", "\xff", 1), "a lone surrogate": strings.Replace(head(""), "DESK", `\ud800`, 1), "something after it": head("") + "{}", "a mark before it": "\ufeff" + head(""), "a list around it": "[" + head("") + "]",
	} {
		add("header: "+name, "format", true, forge(header), nil)
	}
	add("of another tenant", "swapped", true, honest, func(a *revealed) { a.Tenant = "22222222-2222-2222-2222-222222222222" })
	add("of another machine", "swapped", true, honest, func(a *revealed) { a.Machine = machine{ID: "mch_2", Hostname: "DESK-0043"} })
	add("of a machine without names", "swapped", true, honest, func(a *revealed) { a.Machine = machine{} })
	add("of another kind", "swapped", true, honest, func(a *revealed) { a.Kind = "admin" })
	add("a kind in other letters", "swapped", true, honest, func(a *revealed) { a.Kind = "BitLocker" })
	add("another kid within", "swapped", true, forge(head(`,"kid":"`+keys["second"].Public.Kid+`"`)), nil)
	add("listed under another kid", "swapped", true, honest, func(a *revealed) { a.Kid = keys["second"].Public.Kid })
	add("sealed to another key", "altered", false, forgeSealed(head(""), keys["foreign"].Public.Key, "secret"), nil)
	add("sealed to a key of another size", "format", false, forgeSealed(head(""), keys["imported"].Public.Key, "secret"), nil)
	for part, name := range []string{"header", "encrypted key", "IV", "ciphertext", "tag"} {
		code := "altered"
		if part == 0 {
			code = "format"
		}
		if part > 0 {
			add("a bit of the "+name, code, false, bent(honest, part), nil)
		}
		if other, ok := otherSpelling(honest, part); ok {
			add("another spelling of the "+name, "format", true, other, nil)
		}
	}
	parts := strings.Split(honest, ".")
	swap := func(i int, with string) string {
		p := append([]string{}, parts...)
		p[i] = with
		return strings.Join(p, ".")
	}
	add("four parts", "format", true, strings.Join(parts[:4], "."), nil)
	add("six parts", "format", true, honest+".", nil)
	add("cut off", "format", true, honest[:len(honest)-3], nil)
	add("padding", "format", true, honest+"==", nil)
	add("the other alphabet", "format", true, swap(1, strings.NewReplacer("-", "+", "_", "/").Replace(parts[1])+"/"), nil)
	add("a line break", "format", true, swap(3, parts[3]+"\n"), nil)
	add("a short tag", "format", true, swap(4, encode(decode(parts[4])[:12])), nil)
	add("a short IV", "format", true, swap(2, encode(decode(parts[2])[:8])), nil)
	add("no ciphertext", "format", true, swap(3, ""), nil)
	add("too long", "format", true, swap(3, strings.Repeat("AAAA", 17<<10)), nil)
	content := drawn(16) // AES-128 under a header that says 256
	short := must(rsa.EncryptOAEP(sha256.New(), rand.Reader, to, content, nil))
	add("a content key of 16 bytes", "altered", false, jwe(head(""), short, content, []byte("secret")), nil)

	raw := must(ends.SealRaw(k.Public, []byte("secret")))
	b := must(base64.StdEncoding.DecodeString(raw))
	flipped := append([]byte{}, b...)
	flipped[100] ^= 1
	text := base64.StdEncoding.EncodeToString
	add("raw: a bit", "altered", false, text(flipped), nil)
	add("raw: too short", "format", true, text(b[:383]), nil)
	add("raw: too long", "format", true, text(append([]byte{0}, b...)), nil)
	add("raw: not below the modulus", "format", true, text(k.Public.Key.N.Bytes()), nil)
	add("raw: zero", "format", true, text(make([]byte, 384)), nil)
	add("raw: base64url", "format", true, strings.NewReplacer("+", "-", "/", "_").Replace(raw)+"-", nil)
	add("raw: a plaintext", "format", true, "correct horse battery staple", nil)
	add("raw: nothing", "format", true, "", nil)
	for _, h := range list {
		if strings.HasPrefix(h.Name, "raw: a bit") || strings.HasPrefix(h.Name, "raw: zero") || strings.HasPrefix(h.Name, "raw: too") {
			h.Name, h.Reader = "challenge, "+h.Name[5:], "challenge"
			list = append(list, h)
		}
	}
	// Whoever answers would open the secret for the server.
	for name, asked := range map[string]string{"the content key of a secret": text(decode(parts[1])), "a secret of 32 bytes": must(ends.SealRaw(k.Public, drawn(32))), "a secret of 16 bytes": must(ends.SealRaw(k.Public, drawn(16)))} {
		add("challenge: "+name, "format", false, asked, nil)
		h := &list[len(list)-1]
		h.Name, h.Reader = strings.Replace(h.Name, ":", ",", 1), "challenge"
	}
	return list
}

func hostileWrapped(keys map[string]*ends.Key, plain []tenantKey) (list []hostile) {
	k, set := keys["first"], plain[0].Set
	const salt = "c2l4dGVlbiBieXRlcyBhdCBsZWFzdA"
	head := func(more string) string {
		return `{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":600000,"p2s":"` + salt + `"` + more + `}`
	}
	add := func(name, code string, before bool, text, passphrase string) {
		list = append(list, hostile{Name: name, Reader: "wrapping", Code: code, Before: before, Wrapped: &wrapped{Kid: k.Public.Kid, Wrapped: text, Passphrase: passphrase}})
	}
	const p = "a passphrase of the vectors"
	forge := func(header string) string { return forgeWrapped(header, salt, p, 1000, set) } // refused before the count matters
	count := func(c string) string { return strings.Replace(head(""), "600000", c, 1) }
	for _, c := range []string{"1000", "599999", "1000001", "10000000", "2147483648", "99999999999999999999", "-600000", "6e5", "600000.0", "600000.5", `"600000"`, "null", "[600000]"} {
		add("p2c "+c, "format", true, forge(count(c)), p)
	}
	for name, s := range map[string]string{"short": encode(make([]byte, 15)), "long": encode(make([]byte, 65)), "padded": salt + "=", "empty": ""} {
		add("p2s "+name, "format", true, forge(strings.Replace(head(""), salt, s, 1)), p)
	}
	for name, more := range map[string]string{"zip": `,"zip":"DEF"`, "crit": `,"crit":["p2c"]`, "another member": `,"jku":"https://example.com/"`, "p2c twice": `,"p2c":600000`, "another cty": `,"cty":"text/plain"`, "another kid": `,"kid":"` + keys["second"].Public.Kid + `"`} {
		add("header with "+name, "format", true, forge(head(more)), p)
	}
	for _, a := range []string{"PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KWX", "dir", "A256KW", "RSA-OAEP-256"} {
		add("alg "+a, "format", true, forge(strings.Replace(head(""), "PBES2-HS512+A256KW", a, 1)), p)
	}
	for _, e := range []string{"A128GCM", "A256CBC-HS512", "none"} {
		add("enc "+e, "format", true, forge(strings.Replace(head(""), "A256GCM", e, 1)), p)
	}
	honest := forgeWrapped(head(""), salt, p, 600_000, set)
	add("a wrong passphrase", "passphrase", false, honest, "another passphrase")
	add("a bit of the encrypted key", "passphrase", false, bent(honest, 1), p)
	add("a bit of the content", "altered", false, bent(honest, 3), p)
	add("a bit of the tag", "altered", false, bent(honest, 4), p)
	if other, ok := otherSpelling(honest, 4); ok {
		add("another spelling of the tag", "format", true, other, p)
	}
	add("cut off", "format", true, honest[:len(honest)-20], p)
	add("too long", "format", true, honest+strings.Repeat("A", envelope.MaxWrapping), p)
	add("no encrypted key", "format", true, strings.Replace(honest, "."+strings.Split(honest, ".")[1]+".", "..", 1), p)
	inside := func(name, code, content string) {
		add("inside: "+name, code, false, forgeWrapped(head(""), salt, p, 600_000, []byte(content)), p)
	}
	inside("another tenant's keys", "swapped", string(plain[2].Set))
	inside("no keys", "format", `{"keys":[]}`)
	inside("no JSON", "format", `keys`)
	inside("public keys", "format", fmt.Sprintf(`{"keys":[%s,%s]}`, k.Public.JWK, k.Signer.JWK))
	var own, foreign struct{ Keys []map[string]any }
	_ = json.Unmarshal(set, &own)
	_ = json.Unmarshal(plain[2].Set, &foreign)
	own.Keys[0]["d"] = foreign.Keys[0]["d"]
	inside("parts that do not fit", "format", string(must(json.Marshal(map[string]any{"keys": own.Keys}))))

	for name, text := range map[string]string{
		"few iterations": older(set, p, 999), "endless iterations": strings.Replace(older(set, p, 1234), "1234", "5000001", 1), "an odd hash": strings.Replace(older(set, p, 1234), "SHA-256", "MD5", 1),
		"no count": strings.Replace(older(set, p, 1234), "iterations", "count", 1), "another format": strings.Replace(older(set, p, 1234), "pbkdf2", "scrypt", 1), "no JSON": "{", "a member twice": strings.Replace(older(set, p, 1234), `{`, `{"iv":"AAAA",`, 1),
	} {
		add("imported: "+name, "format", true, text, p)
	}
	add("imported: a wrong passphrase", "passphrase", false, older(set, p, 1234), "another passphrase")
	add("imported: another key", "swapped", false, older(plain[2].Set, p, 1234), p)
	add("imported: no key", "format", false, older([]byte("hello, this is no key at all"), p, 1234), p)
	return list
}

func hostileRecovery(keys map[string]*ends.Key, plain []tenantKey, g good) (list []hostile) {
	r := g.Recovery[0] // 2 of 3
	k := keys["first"]
	add := func(name, code string, before bool, compact string, shares ...string) {
		list = append(list, hostile{Name: name, Reader: "recovery", Code: code, Before: before, Recovery: &recovery{Kid: k.Public.Kid, Sealed: compact, Shares: shares}})
	}
	var h struct{ Set string }
	_ = json.Unmarshal(decode(strings.Split(r.Sealed, ".")[0]), &h)
	head := func(more string) string {
		return fmt.Sprintf(`{"alg":"dir","enc":"A256GCM","typ":"portreeve-escrow-recovery","kid":%q,"set":%q,"k":2,"n":3%s}`, k.Public.Kid, h.Set, more)
	}
	forge := func(header string) string { return jwe(header, nil, decode(r.Key), plain[0].Set) }
	two := r.Shares[:2]
	change := func(old, with string) string { return forge(strings.Replace(head(""), old, with, 1)) }
	for name, compact := range map[string]string{
		"zip": forge(head(`,"zip":"DEF"`)), "crit": forge(head(`,"crit":["k"]`)), "another member": forge(head(`,"shares":3`)), "another alg": change(`"dir"`, `"A256KW"`), "another enc": change("A256GCM", "A128GCM"),
		"another typ": change("-recovery", "-key"), "no typ": change(`"typ"`, `"cty"`), "another kid": change(k.Public.Kid, keys["second"].Public.Kid), "k 1": change(`"k":2`, `"k":1`), "k above n": change(`"k":2`, `"k":4`), "n 17": change(`"n":3`, `"n":17`),
		"k as text": change(`"k":2`, `"k":"2"`), "k 2.0": change(`"k":2`, `"k":2.0`), "no set": change(`"set"`, `"Set"`), "an encrypted key": strings.Replace(r.Sealed, "..", ".AAAA.", 1), "cut off": r.Sealed[:len(r.Sealed)-5],
	} {
		add("header: "+name, "format", true, compact, two...)
	}
	add("another set of the same key", "shares", true, change(h.Set, "AAAAAAAA"), two...)
	add("other numbers", "shares", true, change(`"n":3`, `"n":4`), two...)
	add("too few", "shares", true, r.Sealed, r.Shares[0])
	add("none", "shares", true, r.Sealed)
	add("one twice", "shares", true, r.Sealed, r.Shares[0], strings.ToLower(r.Shares[0]))
	add("of two sets", "shares", true, r.Sealed, r.Shares[0], g.Recovery[1].Shares[1])
	add("a bit of the copy", "shares", false, bent(r.Sealed, 3), two...)
	_, foreign, _ := ends.SealRecovery(keys["foreign"], 2, 3)
	add("of another key", "shares", true, r.Sealed, foreign[0].String(), foreign[1].String())
	_, others, _ := ends.SealRecovery(k, 2, 3)
	others[0].Set = h.Set
	add("one of another set that says this one", "shares", false, r.Sealed, r.Shares[1], others[0].String())
	others[0].X = 3
	add("three that disagree", "shares", true, r.Sealed, r.Shares[0], r.Shares[1], others[0].String())
	add("another tenant's keys inside", "swapped", false, jwe(head(""), nil, decode(r.Key), plain[2].Set), two...)
	share := func(name, text string) {
		list = append(list, hostile{Name: name, Reader: "share", Code: "shares", Before: true, Text: text})
	}
	s := r.Shares[0]
	share("a letter", s[:20]+map[bool]string{true: "7", false: "Z"}[s[20] != '7']+s[21:])
	share("two letters exchanged", s[:8]+string(s[10])+string(s[9])+string(s[8])+s[11:])
	share("cut off", s[:len(s)-1])
	share("too long", s+"0")
	share("a letter that is none", strings.Replace(s, s[2:3], "U", 1))
	share("nothing", "")
	share("endless", strings.Repeat("0", 1000))
	share("zeros", strings.Repeat("0", 84))
	return list
}

func hostileStatements(keys map[string]*ends.Key, plain []tenantKey) (list []hostile) {
	var set jose.JSONWebKeySet
	_ = json.Unmarshal(plain[0].Set, &set)
	by := set.Keys[1].Key.(ed25519.PrivateKey)
	k := keys["first"]
	add := func(reader, name, text string) {
		list = append(list, hostile{Name: name, Reader: reader, Code: "format", Before: true, Text: text, Signer: string(k.Signer.JWK)})
	}
	head := func(typ, more string) string {
		return fmt.Sprintf(`{"alg":"EdDSA","typ":%q,"kid":%q%s}`, typ, k.Signer.Kid, more)
	}
	st := head(envelope.TypeStatement, "")
	body := fmt.Sprintf(`{"kid":%q,"tenant":%q,"createdAt":%q,"predecessor":null}`, k.Public.Kid, tenant, times[0])
	next := fmt.Sprintf(`{"kid":"a","signer":"b","tenant":%q,"predecessor":%q}`, tenant, k.Public.Kid)
	honest := forgeJWS(st, body, by)
	for name, text := range map[string]string{
		"alg none": forgeJWS(strings.Replace(st, "EdDSA", "none", 1), body, by), "alg Ed25519": forgeJWS(strings.Replace(st, "EdDSA", "Ed25519", 1), body, by), "alg HS256": forgeJWS(strings.Replace(st, "EdDSA", "HS256", 1), body, by),
		"crit": forgeJWS(head(envelope.TypeStatement, `,"crit":["exp"]`), body, by), "b64": forgeJWS(head(envelope.TypeStatement, `,"b64":false`), body, by), "jwk": forgeJWS(head(envelope.TypeStatement, `,"jwk":{}`), body, by),
		"another kid": forgeJWS(strings.Replace(st, k.Signer.Kid, keys["second"].Signer.Kid, 1), body, by), "a bit of the payload": bent(honest, 1), "a bit of the signature": bent(honest, 2),
		"no signature": honest[:strings.LastIndexByte(honest, '.')+1], "cut off": honest[:len(honest)-2], "four parts": honest + ".AA", "a member more": forgeJWS(st, strings.Replace(body, "{", `{"iat":1,`, 1), by), "a member less": forgeJWS(st, strings.Replace(body, `,"predecessor":null`, "", 1), by),
		"a member twice": forgeJWS(st, strings.Replace(body, "{", `{"kid":"x",`, 1), by), "a number": forgeJWS(st, strings.Replace(body, `"`+times[0]+`"`, "7", 1), by), "an empty tenant": forgeJWS(st, strings.Replace(body, tenant, "", 1), by), "a null tenant": forgeJWS(st, strings.Replace(body, `"`+tenant+`"`, "null", 1), by),
		"an authorization": forgeJWS(head(envelope.TypeSuccession, ""), next, by), "of the other type": forgeJWS(st, next, by),
	} {
		add("statement", name, text)
	}
	add("succession", "a signature", honest)
	add("succession", "a null predecessor", forgeJWS(head(envelope.TypeSuccession, ""), strings.Replace(next, `"`+k.Public.Kid+`"`, "null", 1), by))
	if other, ok := otherSpelling(honest, 2); ok {
		add("statement", "another spelling of the signature", other)
	}
	return list
}

func hostileChains(keys map[string]*ends.Key) (list []hostile) {
	first, second, foreign := keys["first"], keys["second"], keys["foreign"]
	older, newer := listedAs(first, times[0], nil, nil), listedAs(second, times[1], first, first)
	add := func(name, code, pin string, s *seen, of string, keys ...listedKey) {
		list = append(list, hostile{Name: name, Reader: "chain", Code: code, Before: true, Chain: &chain{Tenant: of, Pin: pin, Seen: s, Keys: keys}})
	}
	add("another tenant's key", "unpinned", first.Signer.Kid, nil, tenant, listedAs(foreign, times[0], nil, nil))
	add("for another tenant", "swapped", "", nil, "22222222-2222-2222-2222-222222222222", older)
	add("an unsigned rotation", "rotation", "", nil, tenant, listedAs(second, times[1], first, nil), older)
	add("a rotation by somebody else", "format", "", nil, tenant, listedAs(second, times[1], first, foreign), older)
	add("a rotation that hides its predecessor", "unpinned", first.Signer.Kid, nil, tenant, listedAs(second, times[1], nil, nil), older)
	add("a rotation whose predecessor is missing", "rotation", "", nil, tenant, newer)
	stolen := newer
	a := must(first.Authorize(tenant, foreign.Public.Kid, foreign.Signer.Kid))
	stolen.Authorization = &a
	add("the authorization of another key", "rotation", "", nil, tenant, stolen, older)
	add("no signature under a pin", "unsigned", first.Signer.Kid, nil, tenant, unsigned(keys["imported"], times[0]))
	add("no signature where there was one", "unsigned", "", &seen{first.Public.Kid, first.Signer.Kid, times[0]}, tenant, unsigned(keys["imported"], times[2]))
	add("rolled back to the old key", "rollback", "", &seen{second.Public.Kid, second.Signer.Kid, times[1]}, tenant, older)
	add("the old key listed first", "rollback", "", nil, tenant, older, newer)
	add("another key of the same time", "rollback", "", &seen{second.Public.Kid, second.Signer.Kid, times[0]}, tenant, older)
	mixed := older
	mixed.PublicKey = foreign.Public.JWK
	add("the signature of another key", "swapped", "", nil, tenant, mixed)
	swapped := older
	swapped.SigningKey = foreign.Signer.JWK
	add("another signing key", "format", "", nil, tenant, swapped)
	later := older
	later.CreatedAt = times[2]
	add("a later time than was signed", "swapped", "", nil, tenant, later)
	parted := newer
	parted.Predecessor = nil
	add("another predecessor than was signed", "swapped", "", nil, tenant, parted, older)
	add("a successor before its predecessor", "rollback", "", nil, tenant, listedAs(second, times[0], first, first), listedAs(first, times[1], nil, nil))
	return list
}
