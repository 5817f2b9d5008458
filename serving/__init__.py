"""How others reach the agents: an OpenAI-compatible gateway for chat frontends, and what it needs to run in earnest."""

from .agents import Agent, known_agents, own_agent, utility_agent
from .app import create_app
from .gateway import Gateway, Options
from .turns import Asked, Turn

__all__ = [
    "Agent",
    "Asked",
    "Gateway",
    "Options",
    "Turn",
    "create_app",
    "known_agents",
    "own_agent",
    "utility_agent",
]
