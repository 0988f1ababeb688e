/* ops_connections: who is connected to the ops port, since when, and who goes when there is no
 * room.
 *
 * A connection that has to go is shut down: libmicrohttpd sees its end and closes it. Not
 * thread-safe. */
#ifndef HTTP_OPS_CONNECTIONS_H
#define HTTP_OPS_CONNECTIONS_H

#include "http/ops_server.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* A place in the table; fd -1: a free one. */
struct ops_guest {
    int fd;
    unsigned char address[16]; /* IPv4 ones as IPv6 writes them */
    int64_t since_ms;          /* it came, or was answered last */
};

/* Zeroed, it is empty: its places count from the first that was ever taken. */
struct ops_guests {
    struct ops_guest places[OPS_CONNECTIONS_MAX];
    size_t taken; /* places ever used */
};

/* Makes room if there is none. Never NULL. fd is borrowed until the guest leaves. */
struct ops_guest *ops_guests_come(struct ops_guests *guests, int fd, const struct sockaddr *address,
                                  int64_t now_ms);

/* Its descriptor is about to be closed. Of one that had to make room it changes nothing. */
void ops_guests_leave(struct ops_guest *guest, int fd);

void ops_guests_served(struct ops_guest *guest, int fd, int64_t now_ms);

/* Shuts down those whose time is up; ms until the next one's is, or -1. */
int64_t ops_guests_turn(struct ops_guests *guests, int64_t now_ms);

#endif
