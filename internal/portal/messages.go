package portal

// messages are what a page says after a form that led on to it. A page's address
// names one, and nothing of an address stands on a page itself.
var messages = map[string]string{
	"saved":   "Saved.",
	"created": "Created.",
	"removed": "Removed.",
	"revoked": "Revoked. Whoever uses it is refused from now on.",

	"user-added":     "Added. It holds from the first sign-in on.",
	"user-disabled":  "Disabled. The user is signed out everywhere, and refused until you enable it.",
	"user-enabled":   "Enabled. The user may sign in again.",
	"user-removed":   "Removed. Keys that the user made hold nothing any more.",
	"role-given":     "The role is given. It counts from the next request on.",
	"role-taken":     "The role is taken away. It counts from the next request on.",
	"role-saved":     "Saved. It counts from the next request of everybody who has the role.",
	"session-ended":  "The session has ended.",
	"sessions-ended": "The sessions have ended.",

	"key-disabled":    "Disabled. Whoever shows the key is refused until you enable it.",
	"key-enabled":     "Enabled. The key works again.",
	"factors-off":     "Second factors are off. App, passkeys and backup codes are gone.",
	"passkey-added":   "The passkey is added.",
	"passkey-removed": "The passkey is removed.",
	"codes-gone":      "The codes were shown already. Make new ones if you have not kept them.",
	"agent-deleted":   "Deleted, with everybody's role on it.",
}
