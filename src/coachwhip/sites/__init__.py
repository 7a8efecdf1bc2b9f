"""Sites that ship: the welcome site, and the configuration behind `coachwhip serve DIR`. Plain files; look at them."""
