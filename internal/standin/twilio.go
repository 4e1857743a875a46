package standin

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// TwilioOptions are the choices of NewTwilio.
type TwilioOptions struct {
	AccountSid, AuthToken string
	// Services are the messaging services of the account.
	Services []string
	// Taken is told of every message that was taken; nil: nobody.
	Taken func(SMS)
}

// SMS is a message that Twilio took.
type SMS struct{ SID, To, Service, Body string }

// Twilio is api.twilio.com as who sends messages meets it: the Messages resource
// of API 2010-04-01. Fields, statuses and error codes are those of its reference.
type Twilio struct {
	*site
	record
	mishaps
	o TwilioOptions

	mu     sync.Mutex
	texts  []SMS
	barred map[string]bool
}

// NewTwilio answers on l until Close. It takes every message that is well formed
// until Bar says otherwise.
func NewTwilio(l net.Listener, o TwilioOptions) *Twilio {
	t := &Twilio{site: newSite(l), o: o, barred: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Messages.json", func(w http.ResponseWriter, r *http.Request) {
		s, err := t.receive(r)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if !t.fail(w, r) {
			t.message(w, r, s)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if s, err := t.receive(r); err == nil && !t.fail(w, r) {
			t.complain(s, "there is no such endpoint")
			twilioError(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
		}
	})
	t.serve(l, mux)
	return t
}

// Texts are the messages that were taken, in order.
func (t *Twilio) Texts() []SMS {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]SMS(nil), t.texts...)
}

// Bar makes a number one whose owner wants no messages (error 21610), or not any
// more.
func (t *Twilio) Bar(number string, barred bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.barred[number] = barred
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func (t *Twilio) message(w http.ResponseWriter, r *http.Request, s *Sent) {
	t.heads(s, "Authorization", "Accept-Charset")
	user, password, ok := r.BasicAuth()
	if !ok || user != t.o.AccountSid || password != t.o.AuthToken || r.PathValue("sid") != t.o.AccountSid {
		twilioError(w, http.StatusUnauthorized, 20003, "Authenticate")
		return
	}
	if s.Query != "" {
		t.complain(s, "a query: %q", s.Query)
	}
	if !s.Form {
		t.complain(s, "the body is no form")
	}
	t.check(s, shape{needs: "To MessagingServiceSid Body"})
	to, service, body := s.Text("To"), s.Text("MessagingServiceSid"), s.Text("Body")
	refuse := func(code int, format string, args ...any) {
		twilioError(w, http.StatusBadRequest, code, fmt.Sprintf(format, args...))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case to == "":
		refuse(21604, "A 'To' phone number is required.")
	case service == "":
		refuse(21603, "A 'From' phone number is required.")
	case body == "":
		refuse(21602, "Message body is required.")
	case !e164.MatchString(to):
		refuse(21211, "Invalid 'To' Phone Number: %s", strings.Repeat("X", len(to)))
	case !slices.Contains(t.o.Services, service):
		refuse(21705, "The Messaging Service Sid %s is invalid.", service)
	case utf8.RuneCountInString(body) > 1600:
		refuse(21617, "The concatenated message body exceeds the 1600 character limit.")
	case t.barred[to]:
		refuse(21610, "Attempt to send to unsubscribed recipient")
	default:
		text := SMS{SID: "SM" + fmt.Sprintf("%032x", sha256.Sum256([]byte(unique())))[:32], To: to, Service: service, Body: body}
		t.texts = append(t.texts, text)
		if t.o.Taken != nil {
			t.o.Taken(text)
		}
		reply(w, http.StatusCreated, map[string]any{
			"sid": text.SID, "account_sid": t.o.AccountSid, "messaging_service_sid": service, "to": to, "from": nil, "body": body,
			"status": "accepted", "direction": "outbound-api", "num_segments": "0", "num_media": "0", "price": nil, "price_unit": nil,
			"error_code": nil, "error_message": nil, "api_version": "2010-04-01",
			"uri": "/2010-04-01/Accounts/" + t.o.AccountSid + "/Messages/" + text.SID + ".json",
		})
	}
}

func twilioError(w http.ResponseWriter, status, code int, message string) {
	reply(w, status, map[string]any{"code": code, "message": message, "more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), "status": status})
}
