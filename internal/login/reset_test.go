package login

import (
	"strings"
	"testing"
)

// Strangers name whom a mail goes to: nobody gets more than a few, and nobody learns
// from the answer that there were too many.
func TestPasswordMailsOfOneAddressAreFew(t *testing.T) {
	t.Parallel()
	k := newKit(t, setting{})
	for range mailsOfAddress {
		k.queue = append(k.queue, canned{status: 200, body: `"We've just sent you an email"`})
	}
	answers := map[string]bool{}
	for range 3 * mailsOfAddress {
		got := k.send("POST /change-password", `{"email":"ann@example.com"}`)
		answers[string(rune(got.status))+got.body] = true
	}
	mails := 0
	for _, s := range k.steps {
		if strings.HasPrefix(s, "provider POST /dbconnections/change_password") {
			mails++
		}
	}
	if mails != mailsOfAddress || len(answers) != 1 {
		t.Errorf("%d mails, %d different answers", mails, len(answers))
	}
}
