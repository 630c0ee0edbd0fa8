// SPDX-License-Identifier: Apache-2.0
//
// One policy, or one expression, from Cedar's syntax. Recursive descent; its depth is bounded by expression_depth_max.
#pragma once

#include "cedar/ast.h"
#include "cedar/payload_pool.h"
#include "cedar/token_stream.h"

namespace writ::cedar {

class ExpressionParser {
public:
    ExpressionParser(TokenStream& tokens, PayloadPool& payloads)
        : tokens_(tokens)
        , payloads_(payloads)
    {
    }

    Result<Expression> expression();

private:
    using SharedPayload = std::shared_ptr<Payload const>;

    Result<Expression> conditional(SourceSpan begin);
    Result<Expression> binary(int level_min);
    Result<Expression> relation(Expression left);
    Result<Expression> unary();
    Result<Expression> minus();
    Result<Expression> member();
    Result<Expression> method(Expression object, SourceSpan begin);
    Result<Expression> primary();
    Result<Expression> word();
    Result<Expression> variable(std::string_view name, SourceSpan begin);
    Result<Expression> truth(SourceSpan begin);
    Result<Expression> text(SourceSpan begin);
    Result<Expression> number(SourceSpan begin, bool is_negative);
    Result<Expression> set(SourceSpan begin);
    Result<Expression> record(SourceSpan begin);
    Result<SharedPayload> pattern();
    Result<std::vector<Expression>> arguments(std::string_view closing);
    Result<std::string> attribute();
    // The same as a payload, made once for all that name it.
    Result<SharedPayload> attribute_payload();
    Result<SharedPayload> path();
    // Sets span and depth; fails beyond the limit.
    Result<> finish(Expression&, SourceSpan begin);

    TokenStream& tokens_;
    PayloadPool& payloads_;
    int depth_ = 0;
};

// Into an empty policy.
Result<> parse_policy(TokenStream&, PayloadPool&, Policy&);
Result<Policy> parse_policy(TokenStream&);

} // namespace writ::cedar
