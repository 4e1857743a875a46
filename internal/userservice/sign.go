package userservice

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// signer signs by AWS Signature Version 4 (docs.aws.amazon.com, "Signature Version
// 4 for API requests"). Signed are host, date, type, length and digest of the body,
// and no other header: what proxies on the way rewrite, Accept-Encoding first of
// all, must not break the signature.
func signer(c *SigV4, now func() time.Time) func(*http.Request, []byte) error {
	s := v4.NewSigner()
	key := aws.Credentials{AccessKeyID: c.AccessKeyID.Reveal(), SecretAccessKey: c.SecretAccessKey.Reveal()}
	return func(r *http.Request, body []byte) error {
		sum := sha256.Sum256(body)
		digest := hex.EncodeToString(sum[:])
		bare := r.Clone(r.Context())
		bare.Header = http.Header{"Content-Type": r.Header["Content-Type"], "X-Amz-Content-Sha256": {digest}}
		if err := s.SignHTTP(r.Context(), key, bare, digest, c.Service, c.Region, now()); err != nil {
			return err
		}
		for _, name := range []string{"X-Amz-Content-Sha256", "X-Amz-Date", "Authorization"} {
			r.Header[name] = bare.Header[name]
		}
		return nil
	}
}
