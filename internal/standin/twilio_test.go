package standin

import (
	"encoding/base64"
	"testing"
)

func TestTwilioTakesWhatItsReferenceSays(t *testing.T) {
	t.Parallel()
	w := NewTwilio(loopback(t), TwilioOptions{AccountSid: "AC1", AuthToken: "token", Services: []string{"MG1"}})
	closing(t, w)
	w.Bar("+14155552672", true)
	const kind = "Content-Type: application/x-www-form-urlencoded"
	good := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("AC1:token"))
	for _, c := range []struct {
		name, path, body, auth string
		status                 int
		code                   float64
	}{
		{"a message", "AC1", "To=%2B14155552671&MessagingServiceSid=MG1&Body=hi", good, 201, 0},
		{"a number that is none", "AC1", "To=4155552671&MessagingServiceSid=MG1&Body=hi", good, 400, 21211},
		{"nobody's service", "AC1", "To=%2B14155552671&MessagingServiceSid=MG2&Body=hi", good, 400, 21705},
		{"no text", "AC1", "To=%2B14155552671&MessagingServiceSid=MG1", good, 400, 21602},
		{"who wants none", "AC1", "To=%2B14155552672&MessagingServiceSid=MG1&Body=hi", good, 400, 21610},
		{"a wrong token", "AC1", "To=%2B14155552671&MessagingServiceSid=MG1&Body=hi", "Authorization: Basic QUMxOng=", 401, 20003},
		{"another account", "AC2", "To=%2B14155552671&MessagingServiceSid=MG1&Body=hi", good, 401, 20003},
	} {
		got := call(t, "POST", w.URL()+"/2010-04-01/Accounts/"+c.path+"/Messages.json", c.body, kind, c.auth)
		if code, _ := got.json(t)["code"].(float64); got.status != c.status || code != c.code {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
	}
	if texts := w.Texts(); len(texts) != 1 || texts[0].To != "+14155552671" || texts[0].Body != "hi" {
		t.Errorf("taken: %v", texts)
	}
}

func TestTurnstileSpendsATokenOnce(t *testing.T) {
	t.Parallel()
	w := NewTurnstile(loopback(t), TurnstileOptions{Secret: "s"})
	closing(t, w)
	token := w.Solve("www.example.com", "")
	const kind = "Content-Type: application/x-www-form-urlencoded"
	for i, want := range []bool{true, false} {
		if got := call(t, "POST", w.URL()+"/siteverify", "secret=s&response="+token, kind); got.json(t)["success"] != want {
			t.Errorf("time %d: %s", i+1, got.body)
		}
	}
	if got := call(t, "POST", w.URL()+"/siteverify", "secret=x&response="+w.Solve("a", ""), kind); got.json(t)["success"] != false {
		t.Errorf("another's secret: %s", got.body)
	}
}
