package standin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// UserServiceOptions are the choices of NewUserService.
type UserServiceOptions struct {
	Region, Service              string
	AccessKeyID, SecretAccessKey string
	Users                        []User
	Now                          func() time.Time // nil means time.Now
}

// User is a record of the user service.
type User struct {
	ID     string `json:"id"`
	Email  string `json:"email"`
	Status string `json:"status"`
	Plan   string `json:"plan,omitempty"` // stands for what only the service knows
}

// UserService is the operator's own service of users behind AWS's IAM: it answers
// who signed by Signature Version 4 with the one key, and nobody else.
type UserService struct {
	*site
	record
	mishaps
	o UserServiceOptions

	mu    sync.Mutex
	users map[string]*User // by folded e-mail
}

// NewUserService answers on l until Close.
func NewUserService(l net.Listener, o UserServiceOptions) *UserService {
	if o.Now == nil {
		o.Now = time.Now
	}
	u := &UserService{site: newSite(l), o: o, users: map[string]*User{}}
	for _, one := range o.Users {
		u.Put(one)
	}
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *Sent){
		"POST /users-by-email": u.byEmail, "POST /users/unblock": u.unblock, "POST /users": u.create, "/": u.nothing,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s, err := u.receive(r)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			u.heads(s, "Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token")
			if u.fail(w, r) {
				return
			}
			if wrong := u.signature(r, s.Body); wrong != "" {
				u.complain(s, "%s", wrong)
				reply(w, http.StatusForbidden, map[string]string{"message": "The request signature we calculated does not match the signature you provided."})
				return
			}
			h(w, s)
		})
	}
	u.serve(l, mux)
	return u
}

// Put adds a user or changes one.
func (u *UserService) Put(one User) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.users[strings.ToLower(one.Email)] = &one
}

// User is the record of an address, as it is now.
func (u *UserService) User(email string) (User, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if one := u.users[strings.ToLower(email)]; one != nil {
		return *one, true
	}
	return User{}, false
}

// signature signs what arrived once more and compares. The head of the request is
// rebuilt of the fields that the client says it signed, and they must hold the host
// and the date, or the signature would be good elsewhere and for ever.
func (u *UserService) signature(r *http.Request, body []byte) string {
	const scheme = "AWS4-HMAC-SHA256 "
	sent := r.Header.Get("Authorization")
	if !strings.HasPrefix(sent, scheme) {
		return "not signed by Signature Version 4"
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(sent, scheme), ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[k] = v
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || u.o.Now().Sub(at).Abs() > 5*time.Minute {
		return "X-Amz-Date is " + r.Header.Get("X-Amz-Date")
	}
	signed := strings.Split(parts["SignedHeaders"], ";")
	for _, name := range []string{"host", "x-amz-date"} {
		if !slices.Contains(signed, name) {
			return name + " is not signed"
		}
	}
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && claimed != digest {
		return "X-Amz-Content-Sha256 is not the body's"
	}
	again, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, u.URL()+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	again.Host, again.ContentLength = r.Host, 0
	for _, name := range signed {
		switch name {
		case "host", "x-amz-date":
		case "content-length":
			again.ContentLength = r.ContentLength
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	key := aws.Credentials{AccessKeyID: u.o.AccessKeyID, SecretAccessKey: u.o.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(r.Context(), key, again, digest, u.o.Service, u.o.Region, at); err != nil {
		return err.Error()
	}
	if subtle.ConstantTimeCompare([]byte(again.Header.Get("Authorization")), []byte(sent)) != 1 {
		return "the signature is wrong"
	}
	return ""
}

func (u *UserService) nothing(w http.ResponseWriter, s *Sent) {
	u.complain(s, "there is no such endpoint")
	reply(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
}

func (u *UserService) byEmail(w http.ResponseWriter, s *Sent) {
	if u.check(s, shape{"email", ""}) != "" {
		reply(w, http.StatusBadRequest, map[string]string{"message": "email is missing"})
		return
	}
	one, ok := u.User(s.Text("email"))
	if !ok {
		reply(w, http.StatusNotFound, map[string]string{"message": "no such user"})
		return
	}
	reply(w, http.StatusOK, one)
}

func (u *UserService) unblock(w http.ResponseWriter, s *Sent) {
	if u.check(s, shape{"id", ""}) != "" {
		reply(w, http.StatusBadRequest, map[string]string{"message": "id is missing"})
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, one := range u.users {
		if one.ID == s.Text("id") {
			one.Status = "active"
			reply(w, http.StatusOK, one)
			return
		}
	}
	reply(w, http.StatusNotFound, map[string]string{"message": "no such user"})
}

func (u *UserService) create(w http.ResponseWriter, s *Sent) {
	if u.check(s, shape{"id email", "username given_name family_name name nickname picture phone_number user_metadata:object"}) != "" {
		reply(w, http.StatusBadRequest, map[string]string{"message": "id and email are needed"})
		return
	}
	if _, ok := u.User(s.Text("email")); ok {
		reply(w, http.StatusConflict, map[string]string{"message": "there is one already"})
		return
	}
	one := User{ID: s.Text("id"), Email: s.Text("email"), Status: "active"}
	u.Put(one)
	reply(w, http.StatusCreated, one)
}
