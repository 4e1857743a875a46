package template

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestTreeKeepsOrderTypesAndAbsence(t *testing.T) {
	t.Parallel()
	tree := Tree{Value: []Member{
		{"z", Tree{Value: Parse("{{auth.sub}}")}},
		{"a", Tree{Value: json.Number("1.0")}},
		{"gone", Tree{Value: Parse("{{auth.gone?}}")}},
		{"null", Tree{Value: Parse("{{auth.gone}}")}},
		{"fixed", Tree{Value: []Tree{{Value: true}, {Value: nil}, {Value: Parse("<b>")}}}},
		{"list", Tree{Value: []Tree{{Value: Parse("{{auth.gone?}}")}, {Value: Parse("{{auth.level}}")}, {Value: Parse("{{auth.gone?}}")}, {Value: Parse("x{{params.id}}")}}}},
		{"whole", Tree{Value: Parse("{{auth.roles}}")}},
		{`q"`, Tree{Value: []Member{}}},
	}}
	c, err := CompileTree(tree, every)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.JSON(env)
	want := `{"z":"alice","a":1.0,"null":null,"fixed":[true,null,"<b>"],"list":[7,"x42"],"whole":["admin","user"],"q\"":{}}`
	if err != nil || string(got) != want {
		t.Errorf("JSON = %s, %v\nwant %s", got, err, want)
	}
	if c.Uses() != Auth|Params || len(c.Refs()) != 8 || c.Fixed() {
		t.Errorf("Uses %v, %d refs, fixed %v", c.Uses(), len(c.Refs()), c.Fixed())
	}
}

func TestTreeEdges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		tree Tree
		want string // "" for an error
	}{
		{"nothing", Tree{}, "null"},
		{"an optional root that is missing", Tree{Value: Parse("{{auth.gone?}}")}, "null"},
		{"only absent members", Tree{Value: []Member{{"a", Tree{Value: Parse("{{auth.gone?}}")}}}}, "{}"},
		{"a bad number", Tree{Value: json.Number("0x1F")}, ""},
		{"a Go value", Tree{Value: 3}, ""},
		{"a bad template", Tree{Value: []Tree{{Value: Parse("{{x}}")}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tt, err := CompileTree(c.tree, every)
			if err != nil {
				if c.want != "" {
					t.Errorf("CompileTree: %v", err)
				}
				return
			}
			if got, err := tt.JSON(env); string(got) != c.want || err != nil {
				t.Errorf("JSON = %s, %v; want %s", got, err, c.want)
			}
		})
	}
	tt, err := CompileTree(Tree{Value: Parse("{{now}}")}, every)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := tt.JSON(fakeEnv{"now": math.NaN()}); err == nil {
		t.Errorf("a value that JSON cannot hold was written: %s", b)
	}
}

func TestTooDeepATreeIsAnError(t *testing.T) {
	t.Parallel()
	tree := Tree{}
	for range maxDepth + 2 {
		tree = Tree{Value: []Tree{tree}}
	}
	if _, err := CompileTree(tree, every); err == nil {
		t.Error("compiled")
	}
}

// TestValuesStayValues holds the one-pass rule for every string: what a
// template yields is found again, unchanged, in text and in JSON.
func TestValuesStayValues(t *testing.T) {
	t.Parallel()
	text, err := Compile(Parse("<{{auth.sub}}|{{query.q}}>"), every)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := CompileTree(Tree{Value: []Member{{"a", Tree{Value: Parse("{{auth.sub}}")}}, {"b", Tree{Value: Parse("b{{query.q}}")}}}}, every)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"{{", "}}", "{{auth.sub}}", "{{query.q}}", `","admin":true,"x":"`, "${X}", "{{env.X}}"}))
		a, b := value.Draw(t, "a")+value.Draw(t, "a2"), value.Draw(t, "b")
		env := fakeEnv{"auth": map[string]any{"sub": a}, "query": map[string]any{"q": b}}
		if got, _ := text.Value(env); got != "<"+a+"|"+b+">" {
			t.Fatalf("Value = %q", got)
		}
		raw, err := tree.JSON(env)
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := json.Unmarshal(raw, &back); err != nil || len(back) != 2 || back["a"] != a || back["b"] != "b"+b {
			t.Fatalf("JSON = %s, %v", raw, err)
		}
	})
}
