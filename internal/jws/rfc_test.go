package jws_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/secret"
)

const joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

// TestPublishedExamples verifies the examples of the RFCs, and that each is
// refused as soon as its last payload byte differs.
func TestPublishedExamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, alg, key, token string }{
		{"RFC 7515 A.2, RS256", "RS256",
			`{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}`,
			"eyJhbGciOiJSUzI1NiJ9." + joe + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
		{"RFC 7515 A.3, ES256", "ES256",
			`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
			"eyJhbGciOiJFUzI1NiJ9." + joe + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
		{"RFC 7515 A.4, ES512", "ES512",
			`{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}`,
			"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"},
		{"RFC 8037 A.4, Ed25519", "EdDSA",
			`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
			"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k, err := jws.ParseJWK([]byte(c.key))
			if err != nil {
				t.Fatal(err)
			}
			if k.Alg != c.alg {
				t.Errorf("a JWK without alg is for %s, want %s", k.Alg, c.alg)
			}
			bothWays(t, c.token, k)
		})
	}
}

func bothWays(t *testing.T, token string, k *jws.Key) {
	t.Helper()
	if err := accept(token, k); err != nil {
		t.Errorf("the published token is refused: %v", err)
	}
	h, p, s := split(token)
	last := "A"
	if strings.HasPrefix(p, "A") {
		last = "B"
	}
	if err := accept(h+"."+last+p[1:]+"."+s, k); !errors.Is(err, jws.ErrSignature) {
		t.Errorf("another payload under its signature: %v", err)
	}
}

func TestPublishedHMACExample(t *testing.T) {
	t.Parallel()
	b, err := base64.RawURLEncoding.DecodeString("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	if err != nil {
		t.Fatal(err)
	}
	k, err := jws.NewHMAC("", secret.New(string(b)), "")
	if err != nil {
		t.Fatal(err)
	}
	bothWays(t, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."+joe+".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", k)
}

func TestPublishedUnsecuredExampleIsRefused(t *testing.T) {
	t.Parallel()
	for _, token := range []string{
		"eyJhbGciOiJub25lIn0." + joe + ".", // RFC 7515 A.5
		"eyJhbGciOiJub25lIn0." + joe + ".AA",
	} {
		if _, err := jws.Parse(token); err == nil {
			t.Errorf("an unsecured token is parsed")
		}
	}
}

// TestCookbook runs RFC 7520 sections 4.1 to 4.4. Wycheproof carries these
// tokens (Figures 13, 20, 27, 35) under keys whose alg it has set wrongly for
// two of them; here each key gets the algorithm of its section.
func TestCookbook(t *testing.T) {
	t.Parallel()
	want := map[string]string{"Figure13": "RS256", "Figure20": "PS384", "Figure27": "ES512", "Figure35": "HS256"}
	found := map[string]bool{}
	for _, g := range wycheproofFile(t, "json_web_signature_test.json") {
		if g.Comment != "rfc7520" {
			continue
		}
		figure := g.Tests[0].Comment
		raw := g.Public
		if raw == nil {
			raw = g.Private
		}
		var members map[string]any
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatal(err)
		}
		members["alg"] = want[figure]
		raw, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		k, err := wycheproofKey(raw)
		if err != nil {
			t.Fatalf("%s: %v", figure, err)
		}
		bothWays(t, text(g.Tests[0].JWS), k)
		found[figure] = true
	}
	if len(found) != len(want) {
		t.Errorf("figures found: %v", found)
	}
}
