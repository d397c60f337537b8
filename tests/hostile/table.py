"""Every attack, in one table: what is sent, what must come back, and what the logs must show."""

import by_adapter
import by_broker
import by_limits
import by_list
import by_member
import by_method
import by_parcel
import by_rogue
import by_share
import by_status
import by_wire

# Garbage cuts links, which are dialled anew in their time: it comes behind those who speak a link by hand.
TABLE = [attack for module in (by_broker, by_adapter, by_limits, by_member, by_rogue, by_share, by_status, by_method,
                               by_parcel, by_wire, by_list)
         for attack in module.ATTACKS]
