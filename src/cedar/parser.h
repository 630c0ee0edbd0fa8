// SPDX-License-Identifier: Apache-2.0
//
// One policy, or one expression, from Cedar's syntax. Recursive descent; its depth is bounded by expression_depth_max.
#pragma once

#include "cedar/ast.h"
#include "cedar/token_stream.h"

namespace writ::cedar {

class ExpressionParser {
public:
    explicit ExpressionParser(TokenStream& tokens)
        : tokens_(tokens)
    {
    }

    Result<Expression> expression();

private:
    Result<Expression> conditional(SourceSpan begin);
    Result<Expression> binary(int level_min);
    Result<Expression> relation(Expression left);
    Result<Expression> unary();
    Result<Expression> minus();
    Result<Expression> member();
    Result<Expression> method(Expression object, SourceSpan begin);
    Result<Expression> primary();
    Result<Expression> word();
    Result<Expression> number(SourceSpan begin, bool is_negative);
    Result<Expression> set(SourceSpan begin);
    Result<Expression> record(SourceSpan begin);
    Result<Pattern> pattern();
    Result<std::vector<Expression>> arguments(std::string_view closing);
    Result<std::string> attribute();
    // Sets span and depth; fails beyond the limit.
    Result<> finish(Expression&, SourceSpan begin);

    TokenStream& tokens_;
    int depth_ = 0;
};

Result<Policy> parse_policy(TokenStream&);

} // namespace writ::cedar
