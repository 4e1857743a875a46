package input

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

type body struct {
	Name    string                     `json:"name"`
	Scopes  []string                   `json:"scopes"`
	Count   int                        `json:"count"`
	Public  *bool                      `json:"public"`
	Expires Optional[string]           `json:"expiresAt"`
	Rule    struct{ Max int }          `json:"rule"`
	Meta    map[string]json.RawMessage `json:"metadata"`
}

func TestABodyIsReadByItsExactNames(t *testing.T) {
	t.Parallel()
	var b body
	err := JSON([]byte(` {"Name":"no","name":"yes","scopes":["*"],"count":3,"expiresAt":null,"other":[{"a":{}}]} `), &b)
	if err != nil || b.Name != "yes" || b.Count != 3 || !b.Expires.Set || !b.Expires.Null || b.Public != nil {
		t.Errorf("%+v, %v", b, err)
	}
	var empty body
	if err := JSON(nil, &empty); err != nil || empty.Expires.Set {
		t.Errorf("an empty body: %+v, %v", empty, err)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body, message string
		details       []fault.Detail
	}{
		{`{"name":1,"scopes":"x","count":1.5,"public":"yes","expiresAt":7,"rule":{"Max":"a"}}`, "Validation failed", []fault.Detail{
			{Field: "name", Issue: "must be a string"}, {Field: "scopes", Issue: "must be a list"}, {Field: "count", Issue: "must be a whole number"},
			{Field: "public", Issue: "must be true or false"}, {Field: "expiresAt", Issue: "must be a string"}, {Field: "rule.Max", Issue: "must be a whole number"}}},
		{`{"scopes":["a",2]}`, "Validation failed", []fault.Detail{{Field: "scopes", Issue: "must be a string"}}},
		{`{"name":"a","name":"b"}`, "Validation failed", []fault.Detail{{Field: "name", Issue: "stands twice in one object"}}},
		{`{"metadata":{"x":1,"x":2}}`, "Validation failed", []fault.Detail{{Field: "x", Issue: "stands twice in one object"}}},
		{`[]`, "The request body is not a JSON object", nil},
		{`null`, "The request body is not a JSON object", nil},
		{`"x"`, "The request body is not a JSON object", nil},
		{`{} {}`, "The request body is more than one JSON value", nil},
		{`{"name":"x"`, "The request body is not JSON: it breaks off", nil},
		{`{name:"x"}`, "The request body is not JSON: syntax error at byte 1", nil},
		{"{\"name\":\"\xff\"}", "The request body is not JSON: it is not UTF-8", nil},
		{strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40), "The request body is nested deeper than 32", nil},
		{`name=x`, "The request body is not JSON: syntax error at byte 2", nil},
	} {
		var b body
		err := JSON([]byte(tt.body), &b)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.BadRequest || f.Text() != tt.message || !cmp.Equal(f.Details, tt.details) {
			t.Errorf("%s: %v %s", tt.body, err, cmp.Diff(tt.details, fault.From(err).Details))
		}
	}
}

func TestPagesOfLists(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]any{
		"":                  Page{20, 0},
		"limit=5&offset=10": Page{5, 10},
		"limit=100":         Page{100, 0},
		"limit=0":           "limit",
		"limit=101":         "limit",
		"limit=+5":          "limit",
		"limit=x":           "limit",
		"limit=":            "limit",
		"limit=1&limit=2":   "limit",
		"offset=-1":         "offset",
	} {
		p, err := PageOf(&request.View{Query: query}, 20, 100)
		if wantPage, ok := want.(Page); ok && (err != nil || p != wantPage) || !ok && (err == nil || fault.From(err).Details[0].Field != want) {
			t.Errorf("%q: %+v, %v", query, p, err)
		}
	}
	if raw, _ := json.Marshal(ListOf[string](nil, Page{20, 0}, 0)); string(raw) != `{"data":[],"pagination":{"limit":20,"offset":0,"total":0}}` {
		t.Errorf("an empty list: %s", raw)
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{}`, `{"name":"a"}`, `{"a":[{"b":null}]}`, `{"a":1,"a":2}`, `[1]`, ``, `{"expiresAt":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var b body
		err := JSON(raw, &b)
		if err != nil {
			if fault.From(err).Kind != fault.BadRequest {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		if s := strings.TrimSpace(string(raw)); s != "" && !json.Valid(raw) {
			t.Errorf("%q was taken for JSON", raw)
		}
	})
}
