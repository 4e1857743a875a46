package keyset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/portreeve/portreeve/internal/jws"
)

const discoveryPath = "/.well-known/openid-configuration"

// download fetches the set. The issuer's discovery document is read each time:
// it may name another jwks_uri one day.
func (s *Set) download(ctx context.Context) (*harvest, error) {
	at := s.config.Now()
	from := s.config.URL
	if from == "" {
		var err error
		if from, err = s.discover(ctx); err != nil {
			return nil, fmt.Errorf("discovery: %w", err)
		}
	}
	body, err := s.get(ctx, from)
	if err != nil {
		return nil, err
	}
	keys, skipped, err := jws.ParseJWKS(body)
	if err != nil {
		return nil, err
	}
	return gather(keys, skipped, at, false), nil
}

// discover returns the issuer's jwks_uri. The document must name exactly the
// issuer that was asked (OpenID Connect Discovery section 4.3): otherwise one
// tenant of a host could speak for another.
func (s *Set) discover(ctx context.Context) (string, error) {
	body, err := s.get(ctx, strings.TrimSuffix(s.config.Issuer, "/")+discoveryPath)
	if err != nil {
		return "", err
	}
	document, err := jws.DecodeObject(body, jws.MaxKeySet)
	if err != nil {
		return "", errors.New("the answer is not a JSON object")
	}
	if document["issuer"] != s.config.Issuer {
		return "", errors.New("the document names another issuer")
	}
	from, ok := document["jwks_uri"].(string)
	if !ok || from == "" {
		return "", errors.New("the document names no jwks_uri")
	}
	return from, nil
}

// get fetches one document of at most 1 MiB within exchangeTime, body included.
func (s *Set) get(ctx context.Context, from string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	u, err := url.Parse(from)
	if err != nil || u.Host == "" {
		return nil, errors.New("not a URL")
	}
	if err := s.checkScheme(u); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json, application/jwk-set+json")
	client := http.Client{Transport: s.config.Client.Transport, CheckRedirect: s.checkRedirect}
	answer, err := client.Do(request)
	if err != nil {
		// Without the URL, which may hold a token: this text stands in logs, in
		// readiness and on the admin listener.
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("%s: %w", u.Host, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", u.Host, answer.StatusCode)
	}
	return readCapped(answer.Body)
}

func readCapped(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, jws.MaxKeySet+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > jws.MaxKeySet {
		return nil, fmt.Errorf("more than %d bytes", jws.MaxKeySet)
	}
	return body, nil
}

func (s *Set) checkScheme(u *url.URL) error {
	if u.Scheme == "https" || u.Scheme == "http" && s.config.AllowHTTP {
		return nil
	}
	return errors.New("only https is fetched")
}

// checkRedirect follows within one host and port, never from https to http.
func (s *Set) checkRedirect(next *http.Request, before []*http.Request) error {
	if len(before) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	first := before[0].URL
	if !strings.EqualFold(next.URL.Host, first.Host) || next.URL.Scheme != first.Scheme {
		return errors.New("redirected to another host or scheme")
	}
	return s.checkScheme(next.URL)
}

func (s *Set) readFile(context.Context) (*harvest, error) {
	f, err := os.Open(s.config.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	body, err := readCapped(f)
	if err != nil {
		return nil, err
	}
	keys, skipped, err := jws.ParseJWKS(body)
	if err != nil {
		return nil, err
	}
	return gather(keys, skipped, s.config.Now(), true), nil
}
