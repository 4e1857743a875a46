package policy

// Again is what the caller has by something newer that is stored about it: the
// same credential, under the same configuration. Rules that compare what a caller
// holds with what they are about to write read it in their own transaction.
func (s *Standing) Again(k *Known) Standing { return s.book.Stand(s.Who, nil, k) }
