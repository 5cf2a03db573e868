"""x"""
from app.access import Guarded
pages = Guarded("seller_feeds", __name__)
