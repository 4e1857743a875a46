package change

// slots is how many places names hash to: enough that a busy host's names
// rarely meet, in half a megabyte per feed.
const slots = 1 << 16

// Slot is the place of a name.
type Slot uint32

// SlotOf is the place of a thing, or of the list of its kind when id is "".
func SlotOf(tenant string, kind Kind, id string) Slot {
	// FNV-1a with a byte between the parts that no id has; folded, since its low
	// bits alone are the weaker ones.
	h := uint64(14695981039346656037)
	h = fnv(h, tenant)
	h = fnv(h, string(kind))
	h = fnv(h, id)
	return Slot((h ^ h>>16 ^ h>>32 ^ h>>48) % slots)
}

func fnv(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return (h ^ 0xff) * 1099511628211 // 0xff is in no UTF-8 text
}
