package secret

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const word = "correct-horse-battery"

// holder is how secrets stand in settings.
type holder struct {
	Key     Value
	Pointer *Value
	List    []Value
	Map     map[string]Value
}

func TestNoWayOfPrintingShowsIt(t *testing.T) {
	t.Parallel()
	v := New(word)
	h := holder{v, &v, []Value{v}, map[string]Value{"k": v}}
	prints := map[string]string{
		"string": v.String(), "go string": v.GoString(), "wrapped": fmt.Errorf("key %v: %w", v, errors.New("x")).Error(),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%30s", "%-5.2s", "%!", "%U", "%c", "%p"} {
		prints[verb] = fmt.Sprintf(verb, v)
		prints[verb+" of a struct"] = fmt.Sprintf(verb, h)
		prints[verb+" of a pointer"] = fmt.Sprintf(verb, &h)
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": func(x any) ([]byte, error) { return yaml.Marshal(x) }} {
		b, err := marshal(h)
		if err != nil || !bytes.Contains(b, []byte("[redacted]")) {
			t.Errorf("%s: %s, %v", name, b, err)
		}
		prints[name] = string(b)
	}
	if b, err := xml.Marshal(v); err == nil {
		prints["xml"] = string(b)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", v, "all", h)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", v, "all", h)
	prints["slog"] = log.String()
	for how, text := range prints {
		for _, part := range []string{word, word[:8], fmt.Sprintf("%x", word), fmt.Sprintf("%X", word)} {
			if strings.Contains(text, part) {
				t.Errorf("%s shows the secret: %s", how, text)
			}
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	v := New(word)
	if v.Reveal() != word || v.Len() != len(word) || v.Empty() || !(Value{}).Empty() {
		t.Errorf("reveals %q, %d bytes", v.Reveal(), v.Len())
	}
	for _, other := range []string{"", word[:20], word + " ", strings.ToUpper(word)} {
		if v.Equal(other) {
			t.Errorf("equals %q", other)
		}
	}
	if !v.Equal(word) || !(Value{}).Equal("") {
		t.Error("does not equal itself")
	}
}

func TestEqualTextsAreEqualValues(t *testing.T) {
	t.Parallel()
	if New(word) != New(strings.Clone(word)) || New("") != (Value{}) || New("a") == New("b") {
		t.Error("values do not compare as their texts do")
	}
}
