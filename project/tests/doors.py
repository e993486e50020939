"""The door list: every address of the site, and what each kind of person gets there.

A new route fails `test_doors.py` until it stands here. Write it as the URLconf has it, without converters; `<trade_id=disputed>`
asks for another id of the town (`town.py`) than the one that is usual for this part.

The cells are statuses; `in` is the way to the sign-in page. One cell: everybody alike. Two: visitors, and everybody who is signed
in. Nine: each of `ROLES` but the organisers, who get what `peer` gets; eleven: the organisers too. The ids belong to `buyer` and
`seller`, `rival` and `peer` are another buyer and another seller, `clerk` is staff without any right, and `admin` a superuser.
Forms and bodies are sent empty, so 422, 400 and 409 mean: let in.
A method that has no line is refused.
"""

ROLES = [
    "visitor", "buyer", "rival", "seller", "peer", "moderator", "finance", "clerk", "admin", "organiser", "other organiser",
]  # fmt: skip
# Where a line has nine cells, these are to its ids what `peer` is: strangers.
ORGANISERS = ["organiser", "other organiser"]

DOORS = """
#                                                                      visi buyr rivl selr peer modr finc clrk admn
GET    /                                                                200
GET    /.well-known/security.txt                                        200
GET    /about/<slug=terms>/                                             200
GET    /accounts/2fa/                                                    in  200
GET    /accounts/2fa/authenticate/                                      302
POST   /accounts/2fa/authenticate/                                      302
GET    /accounts/2fa/reauthenticate/                                     in  200  200  302  302  302  302  302  302
POST   /accounts/2fa/reauthenticate/                                     in  200  200  302  302  302  302  302  302
GET    /accounts/2fa/recovery-codes/                                    302
POST   /accounts/2fa/recovery-codes/                                    302
POST   /accounts/2fa/recovery-codes/download/                            in  400
GET    /accounts/2fa/recovery-codes/generate/                            in  302
POST   /accounts/2fa/recovery-codes/generate/                            in  302
GET    /accounts/2fa/totp/activate/                                      in  302
POST   /accounts/2fa/totp/activate/                                      in  302
GET    /accounts/2fa/totp/deactivate/                                    in  404
POST   /accounts/2fa/totp/deactivate/                                    in  404
GET    /accounts/2fa/webauthn/                                           in  200
GET    /accounts/2fa/webauthn/add/                                       in  302
POST   /accounts/2fa/webauthn/add/                                       in  302
GET    /accounts/2fa/webauthn/keys/<pk>/edit/                            in  302
POST   /accounts/2fa/webauthn/keys/<pk>/edit/                            in  302
GET    /accounts/2fa/webauthn/keys/<pk>/remove/                          in  302
POST   /accounts/2fa/webauthn/keys/<pk>/remove/                          in  302
GET    /accounts/2fa/webauthn/login/                                    302
POST   /accounts/2fa/webauthn/login/                                    302
GET    /accounts/2fa/webauthn/reauthenticate/                            in  200  200  302  302  302  302  302  302
POST   /accounts/2fa/webauthn/reauthenticate/                            in  302
GET    /accounts/3rdparty/                                              302
POST   /accounts/3rdparty/                                              302
GET    /accounts/3rdparty/login/cancelled/                              200
GET    /accounts/3rdparty/login/error/                                  401
GET    /accounts/3rdparty/signup/                                       302
POST   /accounts/3rdparty/signup/                                       302
GET    /accounts/social/connections/                                    301
GET    /accounts/social/login/cancelled/                                301
GET    /accounts/social/login/error/                                    301
GET    /accounts/social/signup/                                         301
GET    /accounts/google/login/                                          404
POST   /accounts/google/login/                                          404
GET    /accounts/google/login/callback/                                 404
POST   /accounts/telegram/login/                                        404
GET    /accounts/telegram/login/callback/                               404
POST   /accounts/telegram/login/callback/                               404
GET    /accounts/confirm-email/                                         200
GET    /accounts/confirm-email/<key>/                                   200
POST   /accounts/confirm-email/<key>/                                   404
GET    /accounts/email/                                                  in  200
POST   /accounts/email/                                                  in  302
GET    /accounts/inactive/                                              200
GET    /accounts/login/                                                 200  302
POST   /accounts/login/                                                 200  302
GET    /accounts/login/code/confirm/                                    302
POST   /accounts/login/code/confirm/                                    302
GET    /accounts/login/mail/code/                                       302
POST   /accounts/login/mail/code/                                       302
POST   /accounts/login/mail/code/again/                                 302
GET    /accounts/login/phone/                                           404
POST   /accounts/login/phone/                                           404
GET    /accounts/login/phone/code/                                      404
POST   /accounts/login/phone/code/                                      404
GET    /accounts/logout/                                                302  200
POST   /accounts/logout/                                                302
GET    /accounts/password/change/                                        in  200
POST   /accounts/password/change/                                        in  200
GET    /accounts/password/reset/                                        200
POST   /accounts/password/reset/                                        200
GET    /accounts/password/reset/done/                                   200
GET    /accounts/password/reset/key/<uidb36>-<key>/                     200
POST   /accounts/password/reset/key/<uidb36>-<key>/                     200
GET    /accounts/password/reset/key/done/                               200
GET    /accounts/password/set/                                           in  302
POST   /accounts/password/set/                                           in  302
GET    /accounts/reauthenticate/                                         in  200
POST   /accounts/reauthenticate/                                         in  200
POST   /accounts/sms/<token>/                                           404
GET    /accounts/signup/                                                200  302
POST   /accounts/signup/                                                200  302
GET    /admin/                                                           in   in   in   in   in  200  200  200  200
GET    /admin/<app_label>/                                               in   in   in   in   in  404  200  404  200
GET    /admin/<url>                                                      in   in   in   in   in  404  404  404  404
GET    /admin/accounts/user/<id>/password/                               in   in   in   in   in  403  403  403  200
POST   /admin/accounts/user/<id>/password/                               in   in   in   in   in  403  403  403  200
GET    /admin/autocomplete/                                              in   in   in   in   in  403  403  403  403
GET    /admin/jsi18n/                                                    in   in   in   in   in  200  200  200  200
GET    /admin/login/                                                     in  403  403  403  403  302  302  302  302
POST   /admin/login/                                                     in  403  403  403  403  302  302  302  302
GET    /admin/logout/                                                   302  302  302  302  302  405  405  405  405
POST   /admin/logout/                                                   302
GET    /admin/password_change/                                           in   in   in   in   in  200  200  200  200
POST   /admin/password_change/                                           in   in   in   in   in  200  200  200  200
GET    /admin/password_change/done/                                      in   in   in   in   in  200  200  200  200
GET    /admin/r/<content_type_id>/<object_id>/                           in   in   in   in   in  404  404  404  404
GET    /api/                                                            404
POST   /api/                                                            404
GET    /api/health/                                                     200
POST   /api/v1/auth/google/                                             404
POST   /api/v1/auth/login/                                              400
POST   /api/v1/auth/login/code/                                         400
POST   /api/v1/auth/logout/                                             400
GET    /api/v1/auth/me/                                                 401  200
PATCH  /api/v1/auth/me/                                                 401  200
POST   /api/v1/auth/email/resend/                                       401  204
POST   /api/v1/auth/email/verify/                                       400
POST   /api/v1/auth/otp/request/                                        404
POST   /api/v1/auth/otp/verify/                                         404
POST   /api/v1/auth/password/reset/                                     400
POST   /api/v1/auth/password/reset/confirm/                             400
GET    /api/v1/auth/organizer/                                          401  404  404  404  404  404  404  404  404  200  200
POST   /api/v1/auth/organizer/                                          401  400
POST   /api/v1/auth/refresh/                                            400
POST   /api/v1/auth/register/                                           400
POST   /api/v1/auth/token/refresh/                                      400
POST   /api/v1/auth/ws-ticket/                                          401  201
GET    /api/v1/chats/                                                   401  200
POST   /api/v1/chats/                                                   401  400
GET    /api/v1/chats/<conversation_id>/                                 401  200  404  200  404  404  404  404  404
DELETE /api/v1/chats/<conversation_id>/                                 401  204  404  204  404  404  404  404  404
GET    /api/v1/chats/<conversation_id>/messages/                        401  200  404  200  404  404  404  404  404
POST   /api/v1/chats/<conversation_id>/messages/                        401  422  404  422  404  404  404  404  404
PATCH  /api/v1/chats/<conversation_id>/messages/<message_id>/           401  400  404  400  404  404  404  404  404
DELETE /api/v1/chats/<conversation_id>/messages/<message_id>/           401  204  404  403  404  404  404  404  404
GET    /api/v1/chats/<conversation_id>/messages/<message_id>/file/      401  200  404  200  404  404  404  404  404
POST   /api/v1/chats/<conversation_id>/read/                            401  200  404  200  404  404  404  404  404
GET    /api/v1/notifications/                                           401  200
PATCH  /api/v1/notifications/<notification_id>/read/                   401  200  404  404  404  404  404  404  404
POST   /api/v1/notifications/<notification_id>/read/                    401  200  404  404  404  404  404  404  404
GET    /api/v1/notifications/preferences/                               401  200
PUT    /api/v1/notifications/preferences/                               401  200
POST   /api/v1/notifications/read-all/                                  401  200
POST   /api/v1/payments/deposit/                                        401  400
POST   /api/v1/payments/mock/charge/                                    401  400
GET    /api/v1/payments/transactions/                                   401  200
GET    /api/v1/payments/transactions/<transaction_id>/                  401  200  404  404  404  404  404  404  404
POST   /api/v1/payments/webhooks/<provider>/                            401
POST   /api/v1/payments/webhooks/<provider>/<action>/                   401
POST   /api/v1/payments/withdraw/                                       401  400
GET    /api/v1/profile/                                                 401  200
PATCH  /api/v1/profile/                                                 401  200
GET    /api/v1/profile/favorites/                                       401  200
GET    /api/v1/profile/listings/                                        401  200
GET    /api/v1/profile/notifications/                                   401  200
PATCH  /api/v1/profile/notifications/<notification_id>/read/            401  200  404  404  404  404  404  404  404
POST   /api/v1/profile/notifications/<notification_id>/read/            401  200  404  404  404  404  404  404  404
GET    /api/v1/profile/purchases/                                       401  200
GET    /api/v1/profile/sales/                                           401  200
GET    /api/v1/status/books/                                            200
POST   /api/v1/subscriptions/cancel/                                    401  409
GET    /api/v1/subscriptions/my/                                        401  200
GET    /api/v1/subscriptions/plans/                                     200
POST   /api/v1/subscriptions/purchase/                                  401  400
GET    /chats/                                                           in  200
POST   /chats/                                                           in  404
GET    /chats/<conversation_id>/                                         in  200  404  200  404  404  404  404  404
POST   /chats/<conversation_id>/block/                                   in  302  404  302  404  404  404  404  404
GET    /chats/<conversation_id>/delete/                                  in  200  404  200  404  404  404  404  404
POST   /chats/<conversation_id>/delete/                                  in  302  404  302  404  404  404  404  404
GET    /chats/<conversation_id>/messages/                                in  302  404  302  404  404  404  404  404
POST   /chats/<conversation_id>/messages/                                in  422  404  422  404  404  404  404  404
GET    /chats/<conversation_id>/messages/<message_id>/delete/            in  200  404  404  404  404  404  404  404
POST   /chats/<conversation_id>/messages/<message_id>/delete/            in  302  404  404  404  404  404  404  404
GET    /chats/<conversation_id>/messages/<message_id>/edit/              in  200  404  404  404  404  404  404  404
POST   /chats/<conversation_id>/messages/<message_id>/edit/              in  302  404  404  404  404  404  404  404
GET    /chats/<conversation_id>/messages/<message_id>/file/              in  200  404  200  404  404  404  404  404
GET    /chats/<conversation_id>/messages/<message_id>/report/            in  404  404  200  404  404  404  404  404
POST   /chats/<conversation_id>/messages/<message_id>/report/            in  404  404  422  404  404  404  404  404
POST   /chats/<conversation_id>/mute/                                    in  302  404  302  404  404  404  404  404
POST   /chats/<conversation_id>/read/                                    in  302  404  302  404  404  404  404  404
GET    /chats/<conversation_id=quarrel>/                                 in  404  404  200  404  200  404  404  200
GET    /covers/<slug>/<variant>.svg                                     200
GET    /desk/payments/                                                   in  403  403  403  403  403  200  403  200
GET    /desk/payments/<transaction_id=paid>/                             in  403  403  403  403  403  200  403  200
POST   /desk/payments/<transaction_id=paid>/                             in  403  403  403  403  403  422  403  422
GET    /desk/payouts/                                                    in  403  403  403  403  403  200  403  200
GET    /desk/payouts/<transaction_id=payout>/                            in  403  403  403  403  403  200  403  200
POST   /desk/payouts/<transaction_id=payout>/approve/                    in  403  403  403  403  403  302  403  302
POST   /desk/payouts/<transaction_id=payout>/fail/                       in  403  403  403  403  403  422  403  422
POST   /desk/payouts/<transaction_id=payout>/number/                     in  403  403  403  403  403  200  403  200
POST   /desk/payouts/<transaction_id=payout>/send/                       in  403  403  403  403  403  422  403  422
GET    /desk/reconciliation/                                             in  403  403  403  403  403  200  403  200
POST   /desk/reconciliation/                                             in  403  403  403  403  403  422  403  422
GET    /desk/reconciliation/<statement_id>/                              in  403  403  403  403  403  200  403  200
POST   /desk/refunds/<refund_id>/made/                                   in  403  403  403  403  403  422  403  422
POST   /desk/refunds/<refund_id>/not-made/                               in  403  403  403  403  403  422  403  422
GET    /dev/components/                                                 200
GET    /dev/mail/                                                       200
GET    /dev/mail/<name>/                                                404
GET    /dev/mail/<name>/html/                                           404
GET    /dev/mail/templates/                                             200
GET    /dev/mail/templates/<name>/<language>/                           200
GET    /dev/mail/templates/<name>/<language>/html/                      200
GET    /games/                                                          200
GET    /health/                                                         200
GET    /health/live/                                                    200
GET    /listings/                                                       200
GET    /listings/<listing_id>/                                          200
GET    /listings/<listing_id>/buy/                                       in  200  200  302  200  200  200  200  200
POST   /listings/<listing_id>/buy/                                       in  422
GET    /listings/<listing_id>/card/                                     200
POST   /listings/<listing_id>/favourite/                                 in  302
GET    /moderation/organizers/                                           in  403  403  403  403  200  403  403  200
POST   /moderation/organizers/<profile_id=waiting>/approve/              in  403  403  403  403  302  403  403  302
POST   /moderation/organizers/<profile_id=waiting>/reject/               in  403  403  403  403  422  403  403  422
GET    /organizer/apply/                                                 in  200
POST   /organizer/apply/                                                 in  422  422  422  422  422  422  422  422  302  302
GET    /live/                                                           204
POST   /live/                                                           204
GET    /me/confirm/                                                      in  200
GET    /me/phone/                                                        in  404
POST   /me/phone/                                                        in  404
GET    /me/phone/code/                                                   in  404
POST   /me/phone/code/                                                   in  404
POST   /me/phone/disconnect/                                             in  404
GET    /me/ways-in/                                                      in  200
POST   /me/ways-in/<account_id>/disconnect/                              in  302
GET    /me/not-me/<token>/                                              410
POST   /me/not-me/<token>/                                              410
GET    /me/privacy/                                                      in  200
GET    /me/privacy/delete/                                               in  200
POST   /me/privacy/delete/                                               in  422
POST   /me/privacy/export/                                               in  302
GET    /me/privacy/export/<export_id>/                                   in  302  404  404  404  404  404  404  404
POST   /me/privacy/keep/                                                 in  302
GET    /me/security/                                                     in  200
GET    /me/sessions/                                                     in  200
POST   /me/sessions/<sign_in_id>/end/                                    in  302  404  404  404  404  404  404  404
POST   /me/sessions/end-others/                                          in  302
GET    /me/                                                              in  200
GET    /me/edit/                                                         in  200
POST   /me/edit/                                                         in  422
GET    /me/favourites/                                                   in  200
GET    /me/listings/                                                     in  200
GET    /me/plan/                                                         in  200
GET    /me/plan/cancel/                                                  in  302
POST   /me/plan/cancel/                                                  in  302
POST   /me/plan/renewal/                                                 in  302
GET    /media/<path>                                                    404
GET    /metrics/                                                        200
GET    /moderation/                                                      in  403  403  403  403  200  403  403  200
POST   /moderation/listings/<listing_id=pending>/approve/                in  403  403  403  403  302  403  403  302
POST   /moderation/listings/<listing_id=pending>/changes/                in  403  403  403  403  422  403  403  422
POST   /moderation/listings/<listing_id=pending>/reject/                 in  403  403  403  403  422  403  403  422
GET    /moderation/messages/                                             in  403  403  403  403  200  403  403  200
POST   /moderation/messages/<report_id>/                                 in  403  403  403  403  302  403  403  302
GET    /moderation/trades/                                               in  403  403  403  403  200  403  403  200
GET    /moderation/trades/<trade_id=disputed>/                           in  403  403  403  403  200  403  403  200
POST   /moderation/trades/<trade_id=disputed>/                           in  403  403  403  403  422  403  403  422
GET    /notifications/                                                   in  200
POST   /notifications/<notification_id>/                                 in  302  404  404  404  404  404  404  404
POST   /notifications/<notification_id>/read/                            in  302  404  404  404  404  404  404  404
GET    /notifications/panel/                                             in  200
GET    /notifications/preferences/                                       in  200
POST   /notifications/preferences/                                       in  302
POST   /notifications/preferences/address/                               in  302
GET    /notifications/preferences/<group>/                               in  200
POST   /notifications/preferences/<group>/                               in  302
POST   /notifications/read-all/                                          in  302
GET    /notifications/telegram/                                          in  404
POST   /notifications/telegram/                                          in  404
POST   /notifications/telegram/unlink/                                   in  404
GET    /notifications/unsubscribe/<token>/                              200
POST   /notifications/unsubscribe/<token>/                              200
GET    /plans/                                                          200
GET    /plans/<slug=premium>/                                            in  200
POST   /plans/<slug=premium>/                                            in  422
POST   /preferences/                                                    302
GET    /sales/forecast/                                                  in  200
GET    /sandbox/                                                        404
GET    /sandbox/<code>/api/<rest>                                       404
POST   /sandbox/<code>/api/<rest>                                       404
GET    /sandbox/<code>/pay/                                             404
GET    /sandbox/<code>/pay/<rest>                                       404
POST   /sandbox/<payment_id>/<action>/                                  404
GET    /sandbox/api/payments/<order>/                                   401
GET    /sandbox/google/.well-known/openid-configuration                 404
GET    /sandbox/google/auth/                                            404
POST   /sandbox/google/auth/                                            404
GET    /sandbox/google/keys/                                            404
POST   /sandbox/google/token/                                           404
GET    /sandbox/payments/<payment_id>/                                  404
POST   /sandbox/payments/<payment_id>/<action>/                         404
GET    /sell/                                                            in  200
POST   /sell/                                                            in  422
GET    /sell/<listing_id>/                                               in  404  404  200  404  404  404  404  404
POST   /sell/<listing_id>/                                               in  404  404  422  404  404  404  404  404
GET    /sell/<listing_id>/delete/                                        in  404  404  200  404  404  404  404  404
POST   /sell/<listing_id>/delete/                                        in  404  404  302  404  404  404  404  404
POST   /sell/<listing_id>/preview/                                       in  404
POST   /sell/<listing_id>/relist/                                        in  404  404  302  404  404  404  404  404
POST   /sell/<listing_id>/withdraw/                                      in  404  404  302  404  404  404  404  404
POST   /sell/check/<field>/                                              in  404
POST   /sell/preview/                                                    in  404
GET    /status/                                                         200
POST   /telegram/webhook/                                               404
GET    /trades/                                                          in  200
GET    /trades/<trade_id>/                                               in  200  404  200  404  404  404  404  404
POST   /trades/<trade_id>/cancel/                                        in  409  404  404  404  404  404  404  404
GET    /trades/<trade_id>/confirm/                                       in  200  404  404  404  404  404  404  404
POST   /trades/<trade_id>/confirm/                                       in  302  404  404  404  404  404  404  404
GET    /trades/<trade_id>/dispute/                                       in  200  404  200  404  404  404  404  404
POST   /trades/<trade_id>/dispute/                                       in  422  404  422  404  404  404  404  404
POST   /trades/<trade_id>/hand-over/                                     in  404  404  302  404  404  404  404  404
POST   /trades/<trade_id>/pay/                                           in  422  404  404  404  404  404  404  404
POST   /trades/<trade_id>/received/                                      in  302  404  404  404  404  404  404  404
POST   /trades/<trade_id>/reveal/                                        in  422  404  404  404  404  404  404  404
GET    /u/<handle>/                                                     200
GET    /wallet/                                                          in  200
GET    /wallet/<transaction_id>/                                         in  200  404  404  404  404  404  404  404
GET    /wallet/<transaction_id>/card/                                    in  404
POST   /wallet/<transaction_id>/card/                                    in  404
POST   /wallet/<transaction_id>/check/                                   in  302  404  404  404  404  404  404  404
GET    /wallet/<transaction_id>/code/                                    in  404
POST   /wallet/<transaction_id>/code/                                    in  404
GET    /wallet/<transaction_id>/receipt.pdf                              in  200  404  404  404  404  404  404  404
GET    /wallet/<transaction_id>/result/                                  in  200  404  404  404  404  404  404  404
GET    /wallet/back/<key>/                                               in  404
POST   /wallet/cards/<card_id>/remove/                                   in  404  404  302  404  404  404  404  404
GET    /wallet/deposit/                                                  in  200
POST   /wallet/deposit/                                                  in  422
GET    /wallet/export.csv                                                in  200
GET    /wallet/statements/                                               in  200
GET    /wallet/statements/<month>/                                       in  200
GET    /wallet/statements/<month>/statement.pdf                          in  200
GET    /wallet/withdraw/                                                 in  200
POST   /wallet/withdraw/                                                 in  422
"""

# Who may open what in the administration: what superusers may do there, and which other roles may look.
ADMIN = """
account.emailaddress                 view add change delete
accounts.organizerprofile            view
accounts.passwordhistory             view
accounts.payoutlock                  view
accounts.securityevent               view
accounts.user                        view add change delete
auth.group                           view add change delete
mfa.authenticator                    view
socialaccount.socialaccount          view
axes.accessattempt                   view change delete
axes.accessfailurelog                view change delete
axes.accesslog                       view change delete
core.job                             view
escrow.credentialreveal              view
escrow.dispute                       view
escrow.escrowtransaction             view
games.category                       view add change delete
games.game                           view add change
ledger.account                       view
ledger.audit                         view finance
ledger.journalentry                  view finance
listings.favorite                    view
listings.listing                     view
notifications.notification           view
notifications.notificationsetting    view
notifications.notificationtype       view change
notifications.telegramlink           view
payments.debt                        view
payments.paymentattempt              view
payments.paymentmethod               view add change delete
payments.payoutdecision              view
payments.providerstatement           view
payments.refund                      view
payments.refunddecision              view
payments.transaction                 view finance
payments.webhookevent                view
subscriptions.subscriptionplan       view change
subscriptions.usersubscription       view
"""

# Sockets, and the stream of pages: with which code each is closed, or `open`. Columns as above.
SOCKETS = """
/ws/notifications/                          4401 open
/ws/listings/<listing_id>/                  4401 open
/ws/listings/<listing_id=pending>/          4401 4404 4404 open 4404 open 4404 4404 open
/ws/chat/<conversation_id>/                 4401 open 4404 open 4404 4404 4404 4404 4404
/ws/chat/<conversation_id=quarrel>/         4401 4404 4404 open 4404 4403 4404 4404 4403
"""

# What a browser may send without our token: each proves in another way who it is, or changes nothing of anybody's.
WITHOUT_CSRF = {
    "/notifications/unsubscribe/<token>/",  # a signed address, for mail programs
    "/preferences/",  # a cookie of the own browser
    "/telegram/webhook/",  # a secret header
    "/accounts/sms/<token>/",  # a signed address; changes a word about a message
    "/api/v1/payments/webhooks/<provider>/",  # the provider's signature
    "/api/v1/payments/webhooks/<provider>/<action>/",
    "/sandbox/google/token/",  # a server's call, with its secret
    "/sandbox/<code>/api/<rest>",  # providers' protocols, with their signatures
}
