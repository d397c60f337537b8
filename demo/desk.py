"""Plays the consent office's desk: a citizen shows a document, is told, and decides."""

import datetime

from stubs import secure_channel

METHOD = "face"
LEVEL = 3


def documents(members, index, today=None):
    """Whose identity numbers are shown for a member: (the first, the second or "").

    A child's guardian is the applicant; from 14 on the child agrees as well. For the dead a near relative
    agrees.
    """
    own = members[index]["id_no"]
    if "representative" in members[index]:
        return members[index]["representative"]["id_no"], ""
    if members[index]["role"] != "child":
        return own, ""
    today = today or datetime.date.today()
    age = (int(today.strftime("%Y%m%d")) - int(own[6:14])) // 10000
    return (own, members[0]["id_no"]) if age >= 14 else (members[0]["id_no"], "")


class Desk:
    """One desk with its own certificate; it is not the window, and no window can act for it."""

    def __init__(self, contract, address, ca, cert, key):
        self._contract = contract
        self._channel = secure_channel(address, ca, cert, key)

    def close(self):
        self._channel.close()

    def confirm(self, request_id, document, notice_sha256, agreed=True, **more):
        """Records the decision of whoever's document was shown; returns the grant's id."""
        request = self._contract.new("ConfirmRequest", request_id=request_id, agreed=agreed,
                                         method=METHOD, level=LEVEL, id_no=document,
                                         notice_sha256=notice_sha256, **more)
        return self._call("Confirm", request).grant_id

    def revoke(self, grant_id, document):
        """Withdraws a grant; returns the message with who has stopped already."""
        return self._call("Revoke", self._contract.new("RevokeRequest", grant_id=grant_id,
                                                       id_no=document))

    def status_list(self):
        """The office's current signed status list."""
        return self._call("GetStatusList", self._contract.new("GetStatusListRequest")).token

    def _call(self, method, request):
        return self._contract.call(self._channel, "ConsentOffice/" + method, request)
