package limit

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"net/netip"
)

// Key names one counter: a rule's identity and whom it counts. Equal keys are
// one counter, over reloads too, since neither part depends on the process.
type Key struct {
	Rule    uint64 // of RuleID
	Subject [16]byte
}

// Claim is one limit that a request must meet.
type Claim struct {
	Key  Key
	Rule Rule
}

// sixteenfold is how many times a /48's limit is that of each of its /64s.
const sixteenfold = 16

// RuleID is the identity of a rule: a digest of where it stands and of its
// settings, so that its counters live on over a reload that does not change it.
func RuleID(parts ...string) uint64 {
	sum := digest(parts)
	return binary.BigEndian.Uint64(sum[:8])
}

// TextKey counts by a text: a principal (provider and subject), a tenant, a
// key's id. The caller has folded what is to be folded.
func TextKey(rule uint64, parts ...string) Key {
	sum := digest(parts)
	return Key{Rule: rule, Subject: [16]byte(sum[:16])}
}

// digest is SHA-256 rather than a seeded hash, so that nodes agree about it.
func digest(parts []string) [sha256.Size]byte {
	b := make([]byte, 0, 256)
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

// AppendAddress appends the claims of a client address: an IPv4 address counts
// alone; an IPv6 one by its /64, and by its /48 at 16 times the limit, since
// whoever holds a line holds at least the one and at times the other. The zero
// address is one client.
func AppendAddress(dst []Claim, rule uint64, a netip.Addr, r Rule) []Claim {
	a = a.Unmap()
	if !a.Is6() {
		k := Key{Rule: rule}
		if a.Is4() {
			b := a.As4()
			k.Subject[0] = 4
			copy(k.Subject[1:], b[:])
		}
		return append(dst, Claim{Key: k, Rule: r})
	}
	b := a.As16()
	line, site := Key{Rule: rule}, Key{Rule: rule ^ 1<<63} // a rule of its own: its overflow is shared with no /64
	line.Subject[0], site.Subject[0] = 64, 48
	copy(line.Subject[1:], b[:8])
	copy(site.Subject[1:], b[:6])
	wide := Rule{Window: r.Window, Max: math.MaxInt32}
	if r.Max <= math.MaxInt32/sixteenfold {
		wide.Max = r.Max * sixteenfold
	}
	return append(dst, Claim{Key: line, Rule: r}, Claim{Key: site, Rule: wide})
}
