"""Every attack, in one table: what is sent, what must come back, and what the logs must show."""

import by_adapter
import by_broker
import by_limits
import by_list
import by_member
import by_rogue
import by_share
import by_status
import by_wire

TABLE = (by_broker.ATTACKS + by_adapter.ATTACKS + by_limits.ATTACKS + by_member.ATTACKS
         + by_rogue.ATTACKS + by_share.ATTACKS + by_status.ATTACKS + by_wire.ATTACKS + by_list.ATTACKS)
