package shares

// multiply is the product of two elements of the field, without tables or
// branches on them: how long it takes says nothing of a key.
func multiply(a, b byte) byte {
	var p byte
	for range 8 {
		p ^= -(b & 1) & a
		carry := -(a >> 7)
		a = a<<1 ^ carry&0x1b
		b >>= 1
	}
	return p
}

// inverse is a^254, and so 0 for 0.
func inverse(a byte) byte {
	out, square := byte(1), a
	for range 7 { // 254 = 2+4+…+128
		square = multiply(square, square)
		out = multiply(out, square)
	}
	return out
}

// at is the value at x of the polynomial whose coefficients, the constant first,
// are given.
func at(x byte, coefficients []byte) (y byte) {
	for i := len(coefficients) - 1; i >= 0; i-- {
		y = multiply(y, x) ^ coefficients[i]
	}
	return y
}

// weights are the factors of Lagrange's formula for the value at x of a
// polynomial that is known at xs, which differ from one another.
func weights(x byte, xs []byte) []byte {
	out := make([]byte, len(xs))
	for i, xi := range xs {
		above, below := byte(1), byte(1)
		for j, xj := range xs {
			if j != i {
				above = multiply(above, x^xj)
				below = multiply(below, xi^xj)
			}
		}
		out[i] = multiply(above, inverse(below))
	}
	return out
}
