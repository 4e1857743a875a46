package mfa

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"rsc.io/qr"
)

// otpauthURL is how authenticator apps are told a secret (Key Uri Format,
// github.com/google/google-authenticator/wiki). Blanks are %20: several apps show
// a plus as it is.
func otpauthURL(issuer, account, secret string) string {
	issuer, account = clipped(issuer, 64), clipped(account, 100)
	q := "secret=" + secret + "&issuer=" + escaped(issuer) + "&algorithm=SHA1&digits=6&period=30"
	return "otpauth://totp/" + escaped(issuer) + ":" + escaped(account) + "?" + q
}

func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// qrOf is a text as a QR code: a PNG in a data URL.
func qrOf(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("make a QR code: %w", err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG()), nil
}
