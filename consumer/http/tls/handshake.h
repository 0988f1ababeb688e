/* handshake: the facts that a TLS handshake showed, and the cause of its failure in words.
 *
 * libcurl has one code for nearly all certificates that it refuses. OpenSSL's callbacks see the
 * certificates and the endpoint's alerts, so the date, the names and the issuer can be said.
 *
 *   handshake_init(&h) ─▶ handshake_reset(&h) ─▶ handshake_watch(&h, ssl_ctx) ─▶ handshake_words …
 *
 * A connection may outlive the request that opened it: a reset or a freed context ends the watch,
 * whichever comes first. Not thread-safe; X509's meaning of errors: RFC 5280, of alerts: RFC 8446
 * section 6. */
#ifndef HTTP_TLS_HANDSHAKE_H
#define HTTP_TLS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

enum { HANDSHAKE_NAME_MAX = 96 };

struct handshake_watch; /* lives as long as its SSL_CTX */

struct handshake {
    struct handshake_watch *watch; /* NULL: none */
    int verify_error;              /* X509_V_ERR_*; 0: none */
    int depth;                     /* of the certificate that was refused; 0: the endpoint's own */
    char when[24];                 /* the date on which its time ends, or begins: "2026-11-22" */
    char issuer[HANDSHAKE_NAME_MAX]; /* of that certificate; printable */
    char names[HANDSHAKE_NAME_MAX];  /* of the endpoint's own certificate; printable */
    bool verified;                   /* a certificate came, and its chain is trusted */
    bool asked_for_certificate;      /* the endpoint asked for ours */
    int alert;                       /* the endpoint's last fatal alert; 0: none */
};

/* Sees the handshakes of this context (an SSL_CTX) until the next one's, or handshake_reset. False
 * without memory. */
bool handshake_watch(struct handshake *handshake, void *ssl_ctx);

/* Forgets what was seen and ends the watch; of a zeroed one nothing. */
void handshake_reset(struct handshake *handshake);

/* True: the endpoint refused our certificate, or that there is none; nothing of a request was
 * processed, although it may have been sent (TLS 1.3 tells afterwards). */
bool handshake_wants_certificate(const struct handshake *handshake);

/* The cause in words, in `text`; false: nothing was seen that explains a failure. has_certificate:
 * we have one; tls_min: the least version that is allowed, "1.2". */
bool handshake_words(const struct handshake *handshake, bool has_certificate, const char *tls_min,
                     char *text, size_t size);

#endif
