package jws

import "math/big"

// rocaPrimes are the odd primes up to 167, whose product is the primorial of
// the flawed key generator of CVE-2017-15361.
var rocaPrimes = [...]int64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71,
	73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

// factorable reports whether an RSA modulus carries the fingerprint of that
// generator (ROCA): modulo every small prime it is a power of 65537. Such a key
// can be factored from its public half. A sound key has the fingerprint with a
// chance below one in a hundred million.
func factorable(n *big.Int) bool {
	var rest big.Int
	for _, p := range rocaPrimes {
		if !powerOf65537(rest.Mod(n, big.NewInt(p)).Int64(), p) {
			return false
		}
	}
	return true
}

func powerOf65537(v, p int64) bool {
	power := int64(1)
	for range p {
		if power == v {
			return true
		}
		power = power * 65537 % p
	}
	return false
}
