package portal

// messages are what a page says after a form that led on to it. A page's address
// names one, and nothing of an address stands on a page itself.
var messages = map[string]string{
	"saved":   "Saved.",
	"created": "Created.",
	"removed": "Removed.",
	"revoked": "Revoked. Whoever uses it is refused from now on.",
	"signed":  "You are signed in.",

	"key-disabled": "Disabled. Whoever shows the key is refused until you enable it.",
	"key-enabled":  "Enabled. The key works again.",
}
