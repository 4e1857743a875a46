package login

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/netip"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

// expect is what a success has to be.
type expect uint8

const (
	object   expect = iota // a JSON object
	anyJSON                // JSON, or nothing at all
	anything               // of the one operation that answers with a sentence
)

// What went wrong between Portreeve and a provider. The client hears 502 or 504.
var (
	errNoProvider = fault.New(fault.BadGateway, "provider_unreachable", "")
	errGarbled    = fault.New(fault.BadGateway, "provider_answer", "")
	errLate       = fault.New(fault.GatewayTimeout, "provider_late", "")
)

// because is a sentinel with its cause.
func because(f *fault.Error, err error) *fault.Error {
	c := *f
	c.Err = err
	return &c
}

// send makes one call to a provider and holds the answer to its bounds. from is the
// client's address; Auth0 heeds it where its application trusts the header.
func send(ctx context.Context, to *outbound.Client, from netip.Addr, r outbound.Request, want expect) (*answer, error) {
	if from.IsValid() {
		r.Header = append(r.Header, request.Field{Name: "auth0-forwarded-for", Value: from.Unmap().WithZone("").String()})
	}
	r.Header = append(r.Header, request.Field{Name: "Accept", Value: "application/json"})
	got, err := to.Do(ctx, r)
	if err != nil {
		return nil, sendFault(err)
	}
	return within(got, want)
}

func sendFault(err error) *fault.Error {
	var e *outbound.Error
	if errors.As(err, &e) {
		switch e.Why {
		case outbound.Late:
			return because(errLate, err)
		case outbound.TooLarge, outbound.Garbled:
			return because(errGarbled, err)
		}
	}
	return because(errNoProvider, err)
}

// within takes an answer that may be handed on.
func within(got *outbound.Answer, want expect) (*answer, error) {
	switch {
	case got.Status < 200 || got.Status > 599:
		return nil, because(errGarbled, errors.New("a status that is none of an answer"))
	case got.Status >= 300 && got.Status < 400:
		return nil, because(errGarbled, errors.New("a redirect"))
	}
	a := newAnswer(got.Status, got.Header, got.Body)
	if !a.granted() || want == anything {
		return a, nil
	}
	body := bytes.TrimLeft(got.Body, " \t\r\n")
	if want == anyJSON && (len(body) == 0 || json.Valid(body)) {
		return a, nil
	}
	if !bytes.HasPrefix(body, []byte("{")) || a.members == nil {
		return nil, because(errGarbled, errors.New("a success that is no JSON object"))
	}
	return a, nil
}

// jsonCall is a call with a JSON body.
func jsonCall(method, path string, v any, header ...request.Field) (outbound.Request, error) {
	r := outbound.Request{Method: method, Path: path, Header: header}
	if v == nil {
		return r, nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return r, err
	}
	r.Body = raw
	r.Header = append(r.Header, request.Field{Name: "Content-Type", Value: "application/json"})
	return r, nil
}

// authorized is a bearer token as a header field.
func authorized(token string) request.Field {
	return request.Field{Name: "Authorization", Value: "Bearer " + token}
}
