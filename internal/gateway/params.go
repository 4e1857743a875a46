package gateway

// ParamsOf makes parameters from names and values in turn, for whoever calls an
// operation without a request that was matched. What is more than a pattern can
// have is left out.
func ParamsOf(pairs ...string) *Params {
	var p Params
	for i := 0; i+1 < len(pairs) && p.n < maxParams; i += 2 {
		p.names = append(p.names, pairs[i])
		p.values[p.n] = pairs[i+1]
		p.n++
	}
	return &p
}
