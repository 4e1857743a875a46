package apikey

import (
	"hash/crc32"
	"strings"
)

// The parts of a key: prk_<env>_<id>_<secret><checksum>.
const (
	keyMark    = "prk_"
	idLen      = 12
	secretLen  = 43 // 62⁴³ is just above 2²⁵⁶
	sumLen     = 6
	longestEnv = 4
	longestKey = len(keyMark) + longestEnv + 1 + idLen + 1 + secretLen + sumLen
)

// Environments lists what may stand for <env>.
func Environments() []string { return []string{"prod", "test", "dev"} }

// shape is what is wrong with a text that is no key. None quotes the text.
type shape string

func (e shape) Error() string { return string(e) }

// What Parse says of a token. These never quote it.
const (
	errNoKey       shape = "not a key: prk_, the environment, 12 characters, 49 characters"
	errChecksum    shape = "the checksum does not fit: the key was mistyped or cut"
	errEnvironment shape = "the key is of another environment"
	errNoToken     shape = "not a machine token: tok_ and 32 characters of base64url"
	errNeither     shape = "neither an API key nor a machine token"
)

// token is a parsed credential of either format.
type token struct {
	text   string
	format string // formatKey or formatToken
	env    string // of a key
	lookup string // what its secret is found by: a key's id, a machine token's first characters
}

// machineID is the first character of the ids of keys of the machine class, and
// of no others: which provider a token is for has to be known before the store
// is asked, and the format has no place of its own for it. The row says so too.
const machineID = 'M'

// machine reports whether the token is of the machine class.
func (t token) machine() bool { return t.format == formatToken || t.lookup[0] == machineID }

// The two formats, as the store writes them.
const (
	formatKey   = "prk"
	formatToken = "tok"
)

// prefix is the part of a token that may be shown.
func (t token) prefix() string {
	if t.format == formatKey {
		return keyMark + t.env + "_" + t.lookup
	}
	return t.lookup
}

// newKey makes a key of an environment.
func newKey(env string, machine bool) token {
	id := string(machineID) + random62(idLen-1)
	for !machine && id[0] == machineID {
		id = random62(idLen)
	}
	text := withSum(keyMark + env + "_" + id + "_" + random62(secretLen))
	return token{text: text, format: formatKey, env: env, lookup: id}
}

// withSum appends the checksum.
func withSum(body string) string {
	sum := checksum62(crc32.ChecksumIEEE([]byte(body)))
	return body + string(sum[:])
}

// parseKey reads a key whole: its parts, their lengths and alphabet, and the
// checksum over everything before it. Whose it is, is not known by that.
func parseKey(s string) (token, error) {
	if len(s) > longestKey || !strings.HasPrefix(s, keyMark) {
		return token{}, errNoKey
	}
	env, rest, ok := strings.Cut(s[len(keyMark):], "_")
	if !ok || len(rest) != idLen+1+secretLen+sumLen || rest[idLen] != '_' {
		return token{}, errNoKey
	}
	if env != "prod" && env != "test" && env != "dev" {
		return token{}, errNoKey
	}
	if !is62(rest[:idLen]) || !is62(rest[idLen+1:]) {
		return token{}, errNoKey
	}
	// The checksum is no authenticator, so this comparison may take what time it will.
	if s != withSum(s[:len(s)-sumLen]) {
		return token{}, errChecksum
	}
	return token{text: s, format: formatKey, env: env, lookup: rest[:idLen]}, nil
}
