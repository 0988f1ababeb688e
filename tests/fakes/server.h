/* server: a scripted HTTP endpoint on a loopback port, in a thread of the test.
 *
 *   struct server *server = server_new((const struct server_rule[]){
 *       {"/slow", SERVER_HOLD, "HTTP/1.1 204 No Content\r\n\r\n", 1},
 *       {NULL, SERVER_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0},
 *       {0}});
 *   server_listen(server);                      before that, connections are refused
 *   … server_request(server, 0)->body …
 *   server_free(server);
 *
 * A request takes the first rule that has its path (or none) and is not used up. A failure to set
 * it up aborts. */
#ifndef FAKES_SERVER_H
#define FAKES_SERVER_H

#include <stddef.h>

enum server_action {
    SERVER_NO_RULE,      /* ends the list of rules */
    SERVER_ANSWER,       /* writes the text, keeps the connection */
    SERVER_ANSWER_CLOSE, /* writes the text, closes */
    SERVER_CLOSE,        /* closes without an answer */
    SERVER_RESET,        /* the same with a TCP reset */
    SERVER_HANG,         /* never answers */
    SERVER_HOLD,         /* as SERVER_ANSWER, but only after server_release */
    SERVER_DRIP,         /* writes the text, a byte each 20 ms */
    SERVER_ENDLESS,      /* writes the text, then zeros for ever */
    SERVER_REPEAT,       /* writes the text again and again */
    SERVER_REFUSE        /* as the first rule: writes the text at the first byte, closes */
};

struct server_rule {
    const char *path; /* NULL: any. Without a slash in front: a text that the body must hold */
    enum server_action action;
    const char *text;
    int times; /* 0: for ever */
};

struct server_request {
    int connection;   /* counted from 0 in order of acceptance */
    const char *head; /* request line and headers, as received, with the empty line */
    const char *body;
};

struct server;

/* Bound, not listening. The rules are copied, their texts borrowed: the server answers until
 * server_free, which may be after the test's own frame. */
struct server *server_new(const struct server_rule *rules);
void server_listen(struct server *server);
void server_free(struct server *server); /* accepts NULL */

int server_port(const struct server *server);
void server_release(struct server *server); /* answers held requests, and holds no more */

/* The journal: valid until server_free, in order of arrival. NULL where there is none (yet). */
size_t server_request_count(struct server *server);
const struct server_request *server_request(struct server *server, size_t i);

#endif
