/* answer: decides if a 2xx means that the request was understood, and a 400 that it was read; pure.
 *
 * A status alone can mislead: a start page answers 200 to any POST, a host's bot check answers 202,
 * and WordPress reports a failure as 200 with {"success":false}, PHP (display_errors) its own
 * errors.
 *
 *   captcha header                  CAPTCHA   the endpoint's fault; may have been taken all the
 * same an HTML document                HTML      the same
 *   {"success":false}, {"ok":false} FAILURE   transient
 *   PHP's own "Fatal error"         FAILURE   transient
 *   json: no {"success":true}       UNCLEAR   the endpoint's fault; may have been taken
 *
 * A web server says 400 of a whole connection, too, before it reads a request: that blames no
 * record.
 *
 *   400, http:// on a port for TLS  TLS_PORT      the endpoint's fault
 *   400, no client certificate      CERTIFICATE   the same */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "base/slice.h"
#include "http/http_client.h"
#include "http/response_class.h"

/* outcome.success: what makes a 2xx a success, in the order of its words. */
enum answer_rule {
    ANSWER_BY_STATUS, /* the status alone */
    ANSWER_BY_JSON,   /* only a JSON object that says success:true or ok:true */
    ANSWER_AUTO       /* all but an HTML document, a captcha and success:false */
};

enum answer_sense {
    ANSWER_UNDERSTOOD,
    ANSWER_HTML,
    ANSWER_CAPTCHA,
    ANSWER_FAILURE,
    ANSWER_UNCLEAR,
    ANSWER_TLS_PORT,
    ANSWER_CERTIFICATE
};

/* The body may be the beginning of a longer one: the beginning decides. */
enum answer_sense answer_sense(enum answer_rule rule, bool has_captcha, struct slice body);

/* The same of any other status: the two of a 400, or ANSWER_UNDERSTOOD. */
enum answer_sense answer_refusal(int status, struct slice body);

enum { REFUSAL_WORDS_MAX = 400 };

struct refusal {
    int status;
    struct slice body;
    const char *url;      /* that was asked */
    const char *redirect; /* where a 3xx leads; NULL or "": unknown */
};

/* The meaning of an answer that is no delivery, and what to do about it; for people: "a redirect to
 * https://www.example.com, which is never followed; …". No path and no query of a URL is in it: a
 * redirect's may be as secret as webhook.url's own. Returns ret_text; "": the status says all that
 * is known. */
const char *answer_refusal_words(const struct refusal *refusal, char ret_text[REFUSAL_WORDS_MAX]);

/* A whole result, judged. */
struct answer_verdict {
    enum response_class class;
    enum answer_sense sense;
    int status; /* of the answer, whole or begun; 0: none */
};
struct answer_verdict answer_judge(const struct response_rules *rules, enum answer_rule rule,
                                   const struct http_result *result);

/* True when the receiver may have taken the request although the answer does not say so: each
 * further try may be taken as well. */
bool answer_may_be_taken(enum answer_sense sense);

/* "answer_html": the closed list's word; "" of what was understood. */
extern const char *const answer_reasons[];

/* A line for people: the cause, and the setting that changes it; "" for ANSWER_UNDERSTOOD. */
extern const char *const answer_hints[];

#endif
