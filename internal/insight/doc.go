// Package insight answers what an operator asks of a running Portreeve: what was
// refused and why, who can do what and why, which configuration is in service,
// how the node is, what was recorded. Pages of the portal stand on it, and so can
// any other client: each answer is an operation with its own permission.
//
// It decides nothing and changes nothing. What it says about access is asked of
// the code that decides, about callers as a decision would see them; what it says
// about refusals is what the decision wrote down.
package insight
