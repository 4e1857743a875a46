package policy

import (
	"errors"
	"fmt"
	"regexp"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Bounds of a condition. One unit of cost is about one step of evaluation;
// the whole budget is spent within a few milliseconds.
const (
	maxExpression   = 4096   // characters
	maxNodes        = 1000   // of the syntax tree, macros expanded
	maxNesting      = 64     // of the syntax tree
	maxLoops        = 2      // all, exists, map, filter inside one another
	maxCost         = 20_000 // units at run time
	maxPattern      = 512    // compiled instructions of one regular expression
	maxPatternInput = 2048   // bytes that one is matched against
)

// environment makes the CEL environment: the standard library and five
// variables. It never changes and is the same for every expression.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	v, err := newVocabulary()
	if err != nil {
		return nil, err
	}
	return cel.NewEnv(
		cel.CustomTypeProvider(v),
		cel.CustomTypeAdapter(v),
		cel.Variable("auth", cel.ObjectType(authTypeName)),
		cel.Variable("request", cel.ObjectType(requestTypeName)),
		cel.Variable("params", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("query", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("now", cel.TimestampType),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(maxNesting),
		cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxPattern),
		cel.DefaultUTCTimeZone(true),
		cel.EnableMacroCallTracking(), // so that the trace can write all(…) as it stands in the file
		cel.ASTValidators(
			cel.ValidateDurationLiterals(),
			cel.ValidateTimestampLiterals(),
			cel.ValidateRegexLiterals(),
			cel.ValidateComprehensionNestingLimit(maxLoops),
		),
	)
})

// program plans a checked expression.
func program(env *cel.Env, ast *cel.Ast) (cel.Program, error) {
	return env.Program(ast,
		cel.EvalOptions(cel.OptOptimize),
		cel.OptimizeRegex(boundedRegexp(overloads.Matches), boundedRegexp(overloads.MatchesString)),
		cel.CostLimit(maxCost),
	)
}

var errLongInput = errors.New("the text to match is too long for a regular expression")

// boundedRegexp compiles the pattern of one form of matches at load and bounds
// what it reads. Go's regexp runs in time linear in pattern times input: both
// factors are bounded, since the cost limit is only looked at between steps.
func boundedRegexp(overload string) *interpreter.RegexOptimization {
	return &interpreter.RegexOptimization{
		Function: overloads.Matches, OverloadID: overload, RegexIndex: 1,
		Factory: func(call interpreter.InterpretableCall, pattern string) (interpreter.InterpretableCall, error) {
			re, err := regexp.Compile(pattern)
			if err != nil {
				return nil, err
			}
			return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(v ...ref.Val) ref.Val {
				return matchBounded(re, v)
			}), nil
		},
	}
}

func matchBounded(re *regexp.Regexp, v []ref.Val) ref.Val {
	if len(v) != 2 {
		return types.NoSuchOverloadErr()
	}
	s, ok := v[0].(types.String)
	switch {
	case !ok:
		return types.MaybeNoSuchOverloadErr(v[0])
	case len(s) > maxPatternInput:
		return types.WrapErr(errLongInput)
	}
	return types.Bool(re.MatchString(string(s)))
}

// evaluate runs a program. Only an exact true is true; anything that goes
// wrong, a panic included, is an error.
func evaluate(p cel.Program, c *condition) (met bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			met, err = false, fmt.Errorf("panic: %v", r)
		}
	}()
	out, _, err := p.Eval(c)
	if err != nil {
		return false, err
	}
	b, ok := out.(types.Bool)
	if !ok {
		return false, fmt.Errorf("the result is %s, not true or false", out.Type().TypeName())
	}
	return bool(b), nil
}
