#include "http/answer.h"

#include "base/slice.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *const answer_reasons[] = {[ANSWER_UNDERSTOOD] = "",
                                      [ANSWER_HTML] = "answer_html",
                                      [ANSWER_CAPTCHA] = "answer_captcha",
                                      [ANSWER_FAILURE] = "answer_failure",
                                      [ANSWER_UNCLEAR] = "answer_unclear",
                                      [ANSWER_TLS_PORT] = "tls_port",
                                      [ANSWER_CERTIFICATE] = "tls_certificate"};

const char *const answer_hints[] = {
    [ANSWER_UNDERSTOOD] = "",
    [ANSWER_HTML] = "a web page came back, as from a start page or a login: check webhook.url; if "
                    "this receiver answers orders with a page, set outcome.success=status",
    [ANSWER_CAPTCHA] = "a bot check stands before the receiver: let this host through there; "
                       "outcome.success=status takes its 2xx for a delivery all the same",
    [ANSWER_FAILURE] =
        "the receiver answered 2xx and says that it failed (success:false, ok:false, "
        "or PHP's own \"Fatal error\"): see its own log; outcome.success=status takes "
        "it for a delivery all the same",
    [ANSWER_UNCLEAR] = "the answer is no JSON object that says success:true or ok:true, which "
                       "outcome.success=json requires; auto accepts it",
    [ANSWER_TLS_PORT] = "the port is one for https://: let webhook.url begin with that",
    [ANSWER_CERTIFICATE] = "the endpoint wants a client certificate, or another one: see "
                           "webhook.cert_file and webhook.key_file"};

/* ---- an HTML document ---- */

static void advance(struct slice *text, size_t len)
{
    text->data += len;
    text->len -= len;
}

static void skip_blanks(struct slice *text)
{
    while (text->len > 0 && isspace((unsigned char)text->data[0]))
        advance(text, 1);
}

/* The name ends there, or the text does. */
static bool begins_tag(struct slice text, const char *tag)
{
    size_t len = strlen(tag);
    return slice_has_prefix_any_case(text, tag) &&
           (text.len == len ||
            !(isalnum((unsigned char)text.data[len]) || strchr("-_:", text.data[len]) != NULL));
}

static bool skip_enclosed(struct slice *text, const char *open, const char *close)
{
    if (!slice_has_prefix_any_case(*text, open))
        return false;
    const char *end = memmem(text->data, text->len, close, strlen(close));
    advance(text, end != NULL ? (size_t)(end - text->data) + strlen(close) : text->len);
    return true;
}

static void skip_start(struct slice *text)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    skip_blanks(text);
    if (slice_has_prefix_any_case(*text, byte_order_mark))
        advance(text, strlen(byte_order_mark));
    skip_blanks(text);
}

/* Caches and themes put comments before the document, XHTML its own first line. A document may
 * leave out its first tags (HTML, 13.1.2.4): a script's redirect to a login is often all of it. */
static bool is_html_document(struct slice body)
{
    static const char *const tags[] = {"<!doctype html", "<html", "<head",  "<title",
                                       "<meta",          "<body", "<script"};
    skip_start(&body);
    while (skip_enclosed(&body, "<!--", "-->") || skip_enclosed(&body, "<?xml", "?>"))
        skip_blanks(&body);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (begins_tag(body, tags[i]))
            return true;
    return false;
}

/* ---- PHP's own messages ---- */

static bool holds(struct slice body, const char *words)
{
    return body.len > 0 && memmem(body.data, body.len, words, strlen(words)) != NULL;
}

/* With display_errors a script that ends in an error answers 200, and shows the error: in HTML
 * wherever it was, or as plain text. */
static bool is_php_failure(struct slice body)
{
    static const struct {
        const char *html, *plain;
    } errors[] = {{"<b>Fatal error</b>:  ", "Fatal error: "},
                  {"<b>Parse error</b>:  ", "Parse error: "},
                  {"<b>Recoverable fatal error</b>:  ", "Recoverable fatal error: "}};
    struct slice start = body;
    skip_start(&start);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        const char *plain = errors[i].plain;
        if (holds(body, errors[i].html) || slice_has_prefix_any_case(start, plain) ||
            (slice_has_prefix_any_case(start, "PHP ") && holds(start, plain)))
            return true;
    }
    return false;
}

/* Warnings that come before the answer itself. */
static void skip_php_notices(struct slice *body)
{
    while (skip_enclosed(body, "<br />\n<b>", "</b><br />"))
        skip_blanks(body);
}

/* ---- a JSON object ---- */

enum claim { CLAIM_NONE, CLAIM_SUCCESS, CLAIM_FAILURE };

/* From behind the opening quote to behind the closing one; the text between them, escapes as they
 * stand. */
static struct slice take_string(struct slice *text)
{
    size_t len = 0;
    while (len < text->len && text->data[len] != '"')
        len += text->data[len] == '\\' ? 2 : 1;
    if (len > text->len)
        len = text->len;
    struct slice string = {text->data, len};
    advance(text, len < text->len ? len + 1 : len);
    return string;
}

/* To the comma or the bracket that ends the value at this depth. */
static void skip_value(struct slice *text)
{
    size_t depth = 0;
    while (text->len > 0) {
        char c = text->data[0];
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return;
        advance(text, 1);
        if (c == '"')
            (void)take_string(text);
        depth += c == '{' || c == '[';
        depth -= depth > 0 && (c == '}' || c == ']');
    }
}

static enum claim claim_of(struct slice key, struct slice value)
{
    if (!slice_is(key, "success") && !slice_is(key, "ok"))
        return CLAIM_NONE;
    if (begins_tag(value, "false"))
        return CLAIM_FAILURE;
    return begins_tag(value, "true") ? CLAIM_SUCCESS : CLAIM_NONE;
}

/* The claim of the members at the top of a JSON object; a failure outweighs a success. One pass, at
 * any depth of the rest. */
static enum claim find_claim(struct slice text)
{
    enum claim found = CLAIM_NONE;
    skip_start(&text);
    skip_php_notices(&text);
    if (!slice_has_prefix_any_case(text, "{"))
        return CLAIM_NONE;
    do {
        advance(&text, 1);
        skip_blanks(&text);
        if (!slice_has_prefix_any_case(text, "\""))
            return found;
        advance(&text, 1);
        struct slice key = take_string(&text);
        skip_blanks(&text);
        if (!slice_has_prefix_any_case(text, ":"))
            return found;
        advance(&text, 1);
        skip_blanks(&text);
        enum claim claim = claim_of(key, text);
        if (claim == CLAIM_FAILURE)
            return claim;
        if (claim == CLAIM_SUCCESS)
            found = claim;
        skip_value(&text);
    } while (slice_has_prefix_any_case(text, ","));
    return found;
}

/* ---- a connection that is refused as such ---- */

enum answer_sense answer_refusal(int status, struct slice body)
{
    static const struct {
        const char *words;
        enum answer_sense sense;
    } texts[] = {
        {"The plain HTTP request was sent to HTTPS port", ANSWER_TLS_PORT},     /* nginx */
        {"speaking plain HTTP to an SSL-enabled server port", ANSWER_TLS_PORT}, /* Apache */
        {"Client sent an HTTP request to an HTTPS server", ANSWER_TLS_PORT},    /* Go, Caddy */
        {"This combination of host and port requires TLS", ANSWER_TLS_PORT},    /* Tomcat */
        {"No required SSL certificate was sent", ANSWER_CERTIFICATE},           /* nginx */
        {"The SSL certificate error", ANSWER_CERTIFICATE}};                     /* nginx */
    for (size_t i = 0; status == 400 && i < sizeof texts / sizeof *texts; i++)
        if (holds(body, texts[i].words))
            return texts[i].sense;
    return ANSWER_UNDERSTOOD;
}

/* ---- a refusal in words ---- */

/* Of characters that a URL may have. */
static bool is_shown(const char *target)
{
    if (target == NULL || *target == '\0')
        return false;
    for (; *target != '\0'; target++)
        if (*target <= ' ' || (unsigned char)*target >= 0x7f)
            return false;
    return true;
}

/* The difference between a redirect's target and the URL, where it is small. */
static const char *difference(const char *url, const char *target)
{
    const char *from = strstr(url, "://"), *to = strstr(target, "://");
    if (from == NULL || to == NULL)
        return "";
    if (strcmp(from, to) == 0)
        return "; only http and https differ";
    if (from - url != to - target || strncmp(url, target, (size_t)(from - url)) != 0)
        return "";
    size_t path = strcspn(from + 3, "?#") + 3, target_path = strcspn(to + 3, "?#") + 3;
    size_t shorter = path < target_path ? path : target_path;
    const char *longer = path < target_path ? to : from;
    if (path + target_path == 2 * shorter + 1 && longer[shorter] == '/' &&
        strncmp(from, to, shorter) == 0 && strcmp(from + path, to + target_path) == 0)
        return "; only a slash at the end differs";
    return "";
}

/* Scheme and host of the target alone. */
static void redirect_words(const struct refusal *refusal, char *text, size_t size)
{
    const char *target = is_shown(refusal->redirect) ? refusal->redirect : "";
    const char *scheme_end = strstr(target, "://");
    const char *host = scheme_end != NULL ? scheme_end + 3 : NULL;
    int origin = host != NULL ? (int)(host + strcspn(host, "/?#") - target) : 0;
    snprintf(text, size,
             "a redirect%s%.*s, which is never followed%s; set webhook.url to where it leads",
             origin > 0 ? " to " : "", origin, target, difference(refusal->url, target));
}

const char *answer_refusal_words(const struct refusal *refusal, char ret_text[REFUSAL_WORDS_MAX])
{
    int status = refusal->status;
    enum answer_sense sense = answer_refusal(status, refusal->body);
    const char *words = "";
    if (sense != ANSWER_UNDERSTOOD)
        words = answer_hints[sense];
    else if (status == 404 || status == 410)
        words = "copy webhook.url again, to its last character";
    else if (status == 401 || status == 403)
        words = "a login or a firewall is in front of it; let this host through, or set "
                "webhook.headers.*";
    else if (status == 429 || status >= 500)
        words = "the receiver failed; see its own log";
    if (status >= 300 && status < 400)
        redirect_words(refusal, ret_text, REFUSAL_WORDS_MAX);
    else
        snprintf(ret_text, REFUSAL_WORDS_MAX, "%s", words);
    return ret_text;
}

/* ---- the verdict ---- */

enum answer_sense answer_sense(enum answer_rule rule, bool has_captcha, struct slice body)
{
    if (rule == ANSWER_BY_STATUS)
        return ANSWER_UNDERSTOOD;
    if (has_captcha)
        return ANSWER_CAPTCHA;
    if (is_html_document(body))
        return ANSWER_HTML;
    enum claim claim = find_claim(body);
    if (claim == CLAIM_FAILURE || (claim == CLAIM_NONE && is_php_failure(body)))
        return ANSWER_FAILURE;
    return rule == ANSWER_BY_JSON && claim != CLAIM_SUCCESS ? ANSWER_UNCLEAR : ANSWER_UNDERSTOOD;
}

bool answer_may_be_taken(enum answer_sense sense)
{
    return sense == ANSWER_HTML || sense == ANSWER_CAPTCHA || sense == ANSWER_UNCLEAR;
}

struct answer_verdict answer_judge(const struct response_rules *rules, enum answer_rule rule,
                                   const struct http_result *result)
{
    struct answer_verdict verdict = {.sense = ANSWER_UNDERSTOOD};
    verdict.status = result->status != 0 ? result->status : result->begun_status;
    verdict.class =
        response_classify(rules, verdict.status, verdict.status != 0 ? FAILURE_NONE : result->kind);
    const struct slice body = {result->body, result->body_len};
    if (verdict.class == RESPONSE_REFUSED) {
        verdict.sense = answer_refusal(verdict.status, body);
        if (verdict.sense != ANSWER_UNDERSTOOD)
            verdict.class = RESPONSE_ENDPOINT;
        return verdict;
    }
    if (verdict.class != RESPONSE_DELIVERED || verdict.status < 200 || verdict.status > 299)
        return verdict; /* a status that outcome.delivered names says "have it already" */
    verdict.sense = answer_sense(rule, result->has_captcha, body);
    if (verdict.sense == ANSWER_FAILURE)
        verdict.class = RESPONSE_TRANSIENT;
    else if (verdict.sense != ANSWER_UNDERSTOOD)
        verdict.class = RESPONSE_ENDPOINT;
    return verdict;
}
