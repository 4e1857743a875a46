package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// digest is the sum of the digests of rows, so that their order, which engines
// sort differently, does not matter. It finds a row that was lost or changed on
// the way; it is no defence against somebody who wants to deceive.
type digest struct {
	rows int64
	sum  [4]uint64
}

// add takes in one row, its columns in an order that both sides agree on.
func (d *digest) add(row []any) error {
	h := sha256.New()
	for _, v := range row {
		var tag byte
		var body []byte
		switch v := v.(type) {
		case nil:
		case int64:
			tag, body = 1, binary.BigEndian.AppendUint64(nil, uint64(v)) //nolint:gosec // its bits
		case string:
			tag, body = 2, []byte(v)
		case []byte:
			tag, body = 3, v
		case float64:
			tag, body = 4, binary.BigEndian.AppendUint64(nil, math.Float64bits(v))
		default:
			return &statementError{mistake, fmt.Errorf("a %T is no column value", v)}
		}
		h.Write(binary.BigEndian.AppendUint64([]byte{tag}, uint64(len(body))))
		h.Write(body)
	}
	s := h.Sum(nil)
	d.rows++
	for i := range d.sum {
		d.sum[i] += binary.BigEndian.Uint64(s[8*i:])
	}
	return nil
}

func (d *digest) String() string {
	return fmt.Sprintf("%016x%016x%016x%016x", d.sum[0], d.sum[1], d.sum[2], d.sum[3])
}
