package actions

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"net/url"
	"strings"

	"github.com/dop251/goja"
)

// host is what the prelude is given: plain functions over text and bytes.
func (v *vm) host() *goja.Object {
	o, global := v.rt.NewObject(), v.rt.GlobalObject()
	fn := func(name string, f func(goja.FunctionCall) goja.Value) { _ = o.Set(name, f) }
	text := func(c goja.FunctionCall, i int) string { return c.Argument(i).String() }
	fn("log", func(c goja.FunctionCall) goja.Value {
		v.tell(message{Kind: kindLog, Text: cut(text(c, 0), maxLine)})
		return goja.Undefined()
	})
	fn("fetch", func(c goja.FunctionCall) goja.Value { return v.later("fetch", v.args(c.Arguments[:1])) })
	fn("url", func(c goja.FunctionCall) goja.Value { return v.url(text(c, 0), c.Argument(1)) })
	fn("encode", func(c goja.FunctionCall) goja.Value { return v.bytes([]byte(text(c, 0))) })
	fn("decode", func(c goja.FunctionCall) goja.Value {
		return v.rt.ToValue(strings.ToValidUTF8(string(v.read(c.Argument(0))), "\uFFFD"))
	})
	fn("random", func(c goja.FunctionCall) goja.Value {
		n := c.Argument(0).ToInteger()
		if n < 0 || n > 64<<10 {
			panic(v.rt.NewTypeError("65536 random bytes at most"))
		}
		b := make([]byte, n)
		_, _ = rand.Read(b)
		return v.bytes(b)
	})
	fn("hash", func(c goja.FunctionCall) goja.Value {
		h := v.digest(text(c, 0), c.Argument(2))
		h.Write(v.read(c.Argument(1)))
		return v.bytes(h.Sum(nil))
	})
	fn("same", func(c goja.FunctionCall) goja.Value {
		return v.rt.ToValue(subtle.ConstantTimeCompare(v.read(c.Argument(0)), v.read(c.Argument(1))) == 1)
	})
	fn("base64", func(c goja.FunctionCall) goja.Value {
		if text(c, 1) == "url" {
			return v.rt.ToValue(base64.RawURLEncoding.EncodeToString(v.read(c.Argument(0))))
		}
		return v.rt.ToValue(base64.StdEncoding.EncodeToString(v.read(c.Argument(0))))
	})
	fn("unbase64", func(c goja.FunctionCall) goja.Value {
		s := strings.NewReplacer("-", "+", "_", "/", "=", "", " ", "", "\n", "", "\r", "", "\t", "").Replace(text(c, 0))
		b, err := base64.RawStdEncoding.DecodeString(s)
		if err != nil {
			panic(v.rt.NewTypeError("this is not base64"))
		}
		return v.bytes(b)
	})
	_ = global.Set("setTimeout", func(c goja.FunctionCall) goja.Value { return v.set(c, false) })
	_ = global.Set("setInterval", func(c goja.FunctionCall) goja.Value { return v.set(c, true) })
	_ = global.Set("clearTimeout", v.clear)
	_ = global.Set("clearInterval", v.clear)
	return o
}

func (v *vm) bytes(b []byte) goja.Value { return v.rt.ToValue(v.rt.NewArrayBuffer(b)) }

// read is the content of an ArrayBuffer; the prelude passes nothing else.
func (v *vm) read(a goja.Value) []byte {
	if b, ok := a.Export().(goja.ArrayBuffer); ok && !b.Detached() {
		return b.Bytes()
	}
	panic(v.rt.NewTypeError("these are no bytes"))
}

func (v *vm) digest(name string, key goja.Value) hash.Hash {
	kinds := map[string]func() hash.Hash{"sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New, "sha1": sha1.New, "md5": md5.New}
	kind, ok := kinds[strings.ReplaceAll(strings.ToLower(name), "-", "")]
	if !ok {
		panic(v.rt.NewTypeError("there are sha256, sha384, sha512, sha1 and md5"))
	}
	if goja.IsUndefined(key) {
		return kind()
	}
	return hmac.New(kind, v.read(key))
}

// url takes a URL apart; null where it is none. What fetch reaches is decided by
// the parent, from the text.
func (v *vm) url(s string, base goja.Value) goja.Value {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return goja.Null()
	}
	if !goja.IsUndefined(base) {
		b, err := url.Parse(strings.TrimSpace(base.String()))
		if err != nil || b.Scheme == "" {
			return goja.Null()
		}
		u = b.ResolveReference(u)
	}
	if u.Scheme == "" || (u.Scheme == "https" || u.Scheme == "http") && u.Host == "" {
		return goja.Null()
	}
	port := u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	path := u.EscapedPath()
	if path == "" && u.Host != "" {
		path = "/"
	}
	if u.Opaque != "" {
		path = u.Opaque
	}
	password, _ := u.User.Password()
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	query, hash := "", ""
	if u.RawQuery != "" {
		query = "?" + u.RawQuery
	}
	if u.Fragment != "" {
		hash = "#" + u.EscapedFragment()
	}
	out := v.rt.NewObject()
	for name, value := range map[string]string{"protocol": u.Scheme + ":", "username": u.User.Username(), "password": password, "hostname": strings.ToLower(host),
		"port": port, "pathname": path, "search": query, "hash": hash} {
		_ = out.Set(name, value)
	}
	return out
}

// api builds the object that handlers are given.
func (v *vm) api(methods map[string]string) *goja.Object {
	api := v.rt.NewObject()
	groups := map[string]*goja.Object{}
	for method, how := range methods {
		group, name, ok := strings.Cut(method, ".")
		if !ok {
			continue // fetch
		}
		o := groups[group]
		if o == nil {
			o = v.rt.NewObject()
			groups[group] = o
			_ = api.Set(group, o)
		}
		_ = o.Set(name, func(c goja.FunctionCall) goja.Value {
			switch how {
			case viaCall:
				v.tell(message{Kind: kindCall, Method: method, Args: v.args(c.Arguments)})
				return api
			case viaAsk:
				a := v.ask(method, v.args(c.Arguments))
				if len(a.Value) == 0 || string(a.Value) == "null" {
					return goja.Undefined()
				}
				parsed, err := v.parse(goja.Undefined(), v.rt.ToValue(string(a.Value)))
				if err != nil {
					panic(err)
				}
				return parsed
			}
			panic(v.rt.NewTypeError("api.%s is not to be had here", method))
		})
	}
	return api
}
