package standin

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

// environment is the request as a CGI-style upstream sees it (RFC 3875 section
// 4.1): header names folded until letters and digits are all that is left of
// them, so that X-Auth_User, x.auth.user and X-Auth-User become one variable,
// and the path decoded and cleaned as such programs do before they open a file.
// It is the view in which a header or path that slipped past a proxy does harm.
func environment(m *message) map[string]string {
	rawPath, query, _ := strings.Cut(m.target, "?")
	env := map[string]string{
		"REQUEST_METHOD":  m.method,
		"REQUEST_URI":     m.target,
		"QUERY_STRING":    query,
		"SERVER_PROTOCOL": m.proto,
		"PATH_INFO":       rawPath,
	}
	if decoded, err := url.PathUnescape(rawPath); err == nil {
		env["PATH_INFO"] = decoded
		env["PATH_TRANSLATED"] = path.Clean("/" + strings.ReplaceAll(decoded, `\`, "/"))
	}
	if m.length >= 0 && len(m.all("Content-Length")) == 1 {
		env["CONTENT_LENGTH"] = strconv.FormatInt(m.length, 10)
	}
	for _, f := range m.fields {
		name := fold(f.Name)
		switch name {
		case "CONTENT_LENGTH":
			continue
		case "CONTENT_TYPE":
		default:
			name = "HTTP_" + name
		}
		if old, taken := env[name]; taken {
			env[name] = old + ", " + f.Value
		} else {
			env[name] = f.Value
		}
	}
	return env
}

func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, name)
}
