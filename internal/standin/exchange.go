package standin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/http"

	"github.com/portreeve/portreeve/internal/jws"
)

// exchange gives a program that presents a service token the JWT that Access
// would put before the application. The answer is the token alone
// (application/jwt), ready for a shell variable, and the cookie that Access
// sets.
func (a *Access) exchange(w http.ResponseWriter, r *http.Request) {
	ids, secrets := r.Header.Values("CF-Access-Client-Id"), r.Header.Values("CF-Access-Client-Secret")
	if len(ids) != 1 || len(secrets) != 1 {
		reply(w, http.StatusForbidden, map[string]string{"error": "one CF-Access-Client-Id and one CF-Access-Client-Secret are needed"})
		return
	}
	if !a.holds(ids[0], secrets[0]) {
		reply(w, http.StatusForbidden, map[string]string{"error": "unknown service token"})
		return
	}
	token, err := a.MintService(ids[0])
	if err != nil {
		reply(w, http.StatusInternalServerError, map[string]string{"error": "cannot sign"})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "CF_Authorization", Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode})
	w.Header().Set("Content-Type", "application/jwt")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, token+"\n") // a caller that went away has nothing to be told
}

func (a *Access) holds(id, secret string) bool {
	for _, t := range a.o.ServiceTokens {
		if t.ID == id && t.Secret != "" && subtle.ConstantTimeCompare([]byte(t.Secret), []byte(secret)) == 1 {
			return true
		}
	}
	return false
}

// whoIs tells the bearer of a CF_Authorization cookie who Access thinks they
// are. The cookie is verified: a token that this team did not sign gets nothing.
func (a *Access) whoIs(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie("CF_Authorization")
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"err": "no app token set"})
		return
	}
	claims, ok := a.verify(cookie.Value)
	if !ok {
		reply(w, http.StatusForbidden, map[string]string{"err": "invalid app token"})
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"id":         claims["sub"],
		"user_uuid":  claims["sub"],
		"email":      claims["email"],
		"name":       claims["email"],
		"groups":     claims["groups"],
		"iat":        claims["iat"],
		"idp":        map[string]string{"id": "stand-in", "type": "onetimepin"},
		"account_id": "stand-in",
		"version":    2,
	})
}

func (a *Access) verify(token string) (map[string]any, bool) {
	t, err := jws.Parse(token)
	if err != nil {
		return nil, false
	}
	for _, k := range a.known() {
		if k.id != t.Header.Kid || t.Verify(k.signer.Public()) != nil {
			continue
		}
		claims, err := jws.DecodeClaims(t.Payload)
		if err != nil || claims["iss"] != a.Issuer() || a.past(claims["exp"]) {
			return nil, false
		}
		return claims, true
	}
	return nil, false
}

func (a *Access) past(exp any) bool {
	n, ok := exp.(interface{ Int64() (int64, error) })
	if !ok {
		return true
	}
	at, err := n.Int64()
	return err != nil || at <= a.o.Now().Unix()
}

// personID is the stable id of a person: Access's is a UUID, and so is this.
func personID(email string) string {
	sum := sha256.Sum256([]byte(email))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
