package jws_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"testing"
)

// signHMAC makes an HS256 token under any secret.
func signHMAC(t testing.TB, with string) string {
	t.Helper()
	input := b64([]byte(`{"alg":"HS256","kid":"k"}`)) + "." + b64([]byte(claims))
	mac := hmac.New(sha256.New, []byte(with))
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

func der(r, s []byte) []byte {
	b, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)})
	if err != nil {
		panic(err)
	}
	return b
}
