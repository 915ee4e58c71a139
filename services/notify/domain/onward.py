"""Where a declined client is pointed, in words that name nothing anybody suffers from."""

from shared.contract.vocabulary import OnwardRoute

_BY_THE_STATUS_PAGE = (
    "There is a service that fits better than ours. What it is and how to reach it is on your status page, "
    "and not in this e-mail, so that nobody else reads it. Your GP can also refer you there."
)

STEPS: dict[OnwardRoute, str] = {
    OnwardRoute.GP: (
        "Please make an appointment with your GP. They know the services near you and can refer you to the "
        "right one. You may show them this e-mail."
    ),
    OnwardRoute.NHS_CRISIS_LINE: (
        "Please call NHS 111 and choose option 2. The call is free, and somebody answers by day and by night."
    ),
    OnwardRoute.NHS_TALKING_THERAPIES: (
        "There is a free NHS service that you can ask yourself, without seeing a GP first. Its name and how "
        "to reach it are on your status page."
    ),
    OnwardRoute.OTHER_CLINIC: (
        "Another clinic can help better than we can. Which one and how to reach it is on your status page."
    ),
    # One text for all of these: which of them it is would tell what somebody lives with.
    OnwardRoute.CHILD_AND_ADOLESCENT_SERVICE: _BY_THE_STATUS_PAGE,
    OnwardRoute.EATING_DISORDER_SERVICE: _BY_THE_STATUS_PAGE,
    OnwardRoute.COMMUNITY_MENTAL_HEALTH_TEAM: _BY_THE_STATUS_PAGE,
    OnwardRoute.RELATIONSHIP_SERVICE: _BY_THE_STATUS_PAGE,
}
