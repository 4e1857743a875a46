package pages

import "bytes"

// Tokens are the stylesheet's type scale, spacing and colours, light and dark,
// for stylesheets of other pages: what stands in it before its first rule about
// an element.
func Tokens() []byte {
	tokens, _, _ := bytes.Cut(style, []byte("*, *::before"))
	return tokens
}
