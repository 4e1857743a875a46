package docs

// own is what is said of an answer of Portreeve's own.
type own struct {
	summary, kind string
	schema        schema
	sketch        string
}

var (
	text     = schema{"type": "string"}
	texts    = schema{"type": "array", "items": text}
	moment   = schema{"type": "string", "format": "date-time"}
	jsonType = "application/json"
)

// owns are the answers of Portreeve's own by path. One that is not listed is
// described by its path alone.
var owns = map[string]own{
	"/health": {"Says that Portreeve answers, and which release it is.", jsonType,
		object([]string{"ok", "version"}, schema{"ok": schema{"type": "boolean"}, "version": text}),
		"{\n  \"ok\": boolean\n  \"version\": string\n}"},
	"/.portreeve/whoami": {"Says whom Portreeve takes the caller for.", jsonType,
		object([]string{"authenticated", "kind", "emailVerified", "roles", "scopes", "permissions"}, schema{
			"authenticated": schema{"type": "boolean"}, "kind": text, "provider": text, "subject": text, "email": text,
			"emailVerified": schema{"type": "boolean"}, "tenant": text, "roles": texts, "scopes": texts, "permissions": texts,
			"authTime": moment, "expiresAt": moment, "claims": schema{"type": "object"}}),
		"{\n  \"authenticated\": boolean\n  \"kind\": string\n  \"provider\"?: string\n  \"subject\"?: string\n  \"email\"?: string\n  \"emailVerified\": boolean\n" +
			"  \"tenant\"?: string\n  \"roles\": [string]\n  \"scopes\": [string]\n  \"permissions\": [string]\n  \"authTime\"?: time\n  \"expiresAt\"?: time\n  \"claims\"?: {…}\n}"},
	"/.portreeve/jwks.json": {"The public keys of the statements (X-Portreeve-Assertion) that applications get about their callers.", "application/jwk-set+json",
		object([]string{"keys"}, schema{"keys": schema{"type": "array", "items": schema{"type": "object"}}}), "{\n  \"keys\": [{…}]\n}"},
	documentPath: {"This reference as an OpenAPI document; /doc is the same.", jsonType, schema{"type": "object"}, "{…}"},
	manualPath:   {"Portreeve's documentation.", "text/html", text, "text"},
	pagePath:     {"This reference as a page; /ui is the same.", "text/html", text, "text"},
}

func object(required []string, properties schema) schema {
	return schema{"type": "object", "required": required, "properties": properties}
}
